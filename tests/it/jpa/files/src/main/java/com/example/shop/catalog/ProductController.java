package com.example.shop.catalog;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Digits;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/products")
class ProductController {

    private final ProductService products;

    ProductController(ProductService products) {
        this.products = products;
    }

    /** What a client sees of a product. */
    record ProductView(UUID id, UUID categoryId, String sku, String name, BigDecimal price, String currency) {

        static ProductView of(Product product) {
            return new ProductView(
                    product.getId().getId(),
                    product.getCategoryId(),
                    product.getSku(),
                    product.getName(),
                    product.getPrice(),
                    product.getCurrency());
        }
    }

    /** What a client says of a new one. */
    record NewProduct(
            @NotNull UUID categoryId,
            @NotBlank @Size(max = 40) String sku,
            @NotBlank @Size(max = 200) String name,
            @NotNull @PositiveOrZero @Digits(integer = 10, fraction = 2) BigDecimal price,
            @NotNull @Pattern(regexp = "[A-Z]{3}") String currency) {}

    /** One page of products, and whether there is another. */
    record ProductPage(List<ProductView> products, boolean more) {}

    @GetMapping("/{id}")
    ResponseEntity<ProductView> one(@PathVariable UUID id) {
        return ResponseEntity.of(products.find(id).map(ProductView::of));
    }

    @GetMapping
    ProductPage page(@RequestParam(defaultValue = "0") @PositiveOrZero int page) {
        var found = products.page(page);
        return new ProductPage(found.map(ProductView::of).getContent(), found.hasNext());
    }

    @PostMapping
    ResponseEntity<ProductView> add(@Valid @RequestBody NewProduct asked) {
        var added = ProductView.of(
                products.add(asked.categoryId(), asked.sku(), asked.name(), asked.price(), asked.currency()));
        return ResponseEntity.created(URI.create("/products/" + added.id())).body(added);
    }

    @ExceptionHandler
    ProblemDetail refused(ProductRefusedException refused) {
        var status =
                switch (refused.getReason()) {
                    case SKU_TAKEN -> HttpStatus.CONFLICT;
                    case NO_SUCH_CATEGORY, NO_SUCH_CURRENCY -> HttpStatus.UNPROCESSABLE_ENTITY;
                };
        return ProblemDetail.forStatusAndDetail(status, refused.getMessage());
    }
}
