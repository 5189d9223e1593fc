package com.example.shop.catalog;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Pageable;
import org.springframework.data.domain.Slice;
import org.springframework.data.repository.Repository;

/** Products of one tenant at a time: every method names whose. */
public interface ProductRepository extends Repository<Product, ProductId> {

    Optional<Product> findById(ProductId id);

    /** In the order of SKUs, of which a tenant has each once. */
    Slice<Product> findByIdTenantIdOrderBySku(UUID tenantId, Pageable page);

    /** Whose it is stands in its key. What the database refuses is thrown here and not at the end of the transaction. */
    Product saveAndFlush(Product product);
}
