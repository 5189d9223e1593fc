package com.example.shop.catalog;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Page;
import org.springframework.data.domain.Pageable;
import org.springframework.data.repository.Repository;

/** Products of one tenant at a time: every method names whose. */
public interface ProductRepository extends Repository<Product, ProductId> {

    Optional<Product> findById(ProductId id);

    Optional<Product> findByIdTenantIdAndSku(UUID tenantId, String sku);

    Page<Product> findByIdTenantIdOrderBySku(UUID tenantId, Pageable page);

    Product save(Product product);
}
