package com.example.shop.tenancy;

import java.util.Objects;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** The tenant that the current thread works for. */
@Component
public class TenantContext {

    private final ThreadLocal<UUID> tenant = new ThreadLocal<>();

    /** The tenant, of which there must be one. */
    public UUID current() {
        var current = tenant.get();
        if (current == null) {
            throw new IllegalStateException("No tenant is set for this thread");
        }
        return current;
    }

    /** Works for a tenant until the scope is closed, and then for whom it was before. */
    public Scope enter(UUID entered) {
        var before = tenant.get();
        tenant.set(Objects.requireNonNull(entered, "tenant"));
        return () -> restore(before);
    }

    private void restore(UUID before) {
        if (before == null) {
            tenant.remove();
        } else {
            tenant.set(before);
        }
    }

    /** A stretch of work for one tenant. */
    public interface Scope extends AutoCloseable {

        @Override
        void close();
    }
}
