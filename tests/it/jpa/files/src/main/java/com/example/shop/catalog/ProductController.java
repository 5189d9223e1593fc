package com.example.shop.catalog;

import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.net.URI;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/products")
class ProductController {

    private final ProductService products;

    ProductController(ProductService products) {
        this.products = products;
    }

    /** What a client sees of a product. */
    record ProductView(UUID id, String sku, String name, BigDecimal price) {

        static ProductView of(Product product) {
            return new ProductView(
                    product.getId().getId(), product.getSku(), product.getName(), product.getPrice());
        }
    }

    /** What a client says of a new one. */
    record NewProduct(
            @NotBlank @Size(max = 40) String sku,
            @NotBlank @Size(max = 200) String name,
            @NotNull @PositiveOrZero BigDecimal price) {}

    @GetMapping("/{id}")
    ResponseEntity<ProductView> one(@PathVariable UUID id) {
        return ResponseEntity.of(products.find(id).map(ProductView::of));
    }

    @PostMapping
    ResponseEntity<ProductView> add(@Valid @RequestBody NewProduct asked) {
        var added = ProductView.of(products.add(asked.sku(), asked.name(), asked.price()));
        return ResponseEntity.created(URI.create("/products/" + added.id())).body(added);
    }
}
