package com.example.shop.catalog;

import com.example.shop.tenancy.TenantContext;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.UUID;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** What the signed-in tenant does with its products. */
@Service
public class ProductService {

    private final ProductRepository products;
    private final TenantContext tenant;

    public ProductService(ProductRepository products, TenantContext tenant) {
        this.products = products;
        this.tenant = tenant;
    }

    @Transactional(readOnly = true)
    public Optional<Product> find(UUID id) {
        return products.findById(new ProductId(tenant.current(), id));
    }

    @Transactional
    public Product add(String sku, String name, BigDecimal price) {
        var id = new ProductId(tenant.current(), UUID.randomUUID());
        return products.save(new Product(id, sku, name, price));
    }
}
