package com.example.shop.catalog;

import jakarta.persistence.Column;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.math.BigDecimal;
import java.util.Objects;
import java.util.UUID;
import org.hibernate.annotations.Filter;

/** Something that a tenant sells. */
@Entity
@Table(schema = "app", name = "products")
@Filter(name = "tenant")
public class Product {

    @EmbeddedId
    private ProductId id;

    /** A category of the same tenant: the foreign key has the tenant too. */
    @Column(name = "category_id", nullable = false)
    private UUID categoryId;

    @Column(name = "sku", nullable = false, length = 40)
    private String sku;

    @Column(name = "name", nullable = false, length = 200)
    private String name;

    @Column(name = "price", nullable = false, precision = 12, scale = 2)
    private BigDecimal price;

    /** The code of a currency, which is the same for every tenant. */
    @Column(name = "currency", nullable = false, length = 3)
    private String currency;

    @Version
    @Column(name = "version", nullable = false)
    private Long version;

    protected Product() {}

    public Product(ProductId id, UUID categoryId, String sku, String name, BigDecimal price, String currency) {
        this.id = Objects.requireNonNull(id, "id");
        this.categoryId = Objects.requireNonNull(categoryId, "categoryId");
        this.sku = Objects.requireNonNull(sku, "sku");
        this.name = Objects.requireNonNull(name, "name");
        this.price = Objects.requireNonNull(price, "price");
        this.currency = Objects.requireNonNull(currency, "currency");
    }

    public ProductId getId() {
        return id;
    }

    public UUID getCategoryId() {
        return categoryId;
    }

    public String getSku() {
        return sku;
    }

    public String getName() {
        return name;
    }

    public BigDecimal getPrice() {
        return price;
    }

    public String getCurrency() {
        return currency;
    }
}
