package com.example.shop.catalog;

/** A product that the tables do not take, for a reason that whoever asked can mend. */
public class ProductRefusedException extends RuntimeException {

    /** What stands against it. */
    public enum Reason {
        SKU_TAKEN("Another product has this SKU"),
        NO_SUCH_CATEGORY("There is no such category"),
        NO_SUCH_CURRENCY("There is no such currency");

        private final String sentence;

        Reason(String sentence) {
            this.sentence = sentence;
        }
    }

    private final Reason reason;

    public ProductRefusedException(Reason reason, Throwable cause) {
        super(reason.sentence, cause);
        this.reason = reason;
    }

    public Reason getReason() {
        return reason;
    }
}
