package com.example.shop.catalog;

import static com.example.shop.catalog.ProductRefusedException.Reason.NO_SUCH_CATEGORY;
import static com.example.shop.catalog.ProductRefusedException.Reason.NO_SUCH_CURRENCY;
import static com.example.shop.catalog.ProductRefusedException.Reason.SKU_TAKEN;

import com.example.shop.tenancy.TenantContext;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.exception.ConstraintViolationException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.PageRequest;
import org.springframework.data.domain.Slice;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** What the signed-in tenant does with its products. */
@Service
public class ProductService {

    private static final int PAGE = 50;

    private static final Map<String, ProductRefusedException.Reason> REASONS = Map.of(
            "products_sku", SKU_TAKEN,
            "products_category", NO_SUCH_CATEGORY,
            "products_currency", NO_SUCH_CURRENCY);

    private final ProductRepository products;
    private final TenantContext tenants;

    public ProductService(ProductRepository products, TenantContext tenants) {
        this.products = products;
        this.tenants = tenants;
    }

    @Transactional(readOnly = true)
    public Optional<Product> find(UUID id) {
        return products.findById(new ProductId(tenants.current(), id));
    }

    @Transactional(readOnly = true)
    public Slice<Product> page(int number) {
        return products.findByIdTenantIdOrderBySku(tenants.current(), PageRequest.of(number, PAGE));
    }

    @Transactional
    public Product add(UUID categoryId, String sku, String name, BigDecimal price, String currency) {
        var id = new ProductId(tenants.current(), UUID.randomUUID());
        try {
            return products.saveAndFlush(new Product(id, categoryId, sku, name, price, currency));
        } catch (DataIntegrityViolationException violation) {
            throw refused(violation);
        }
    }

    private static RuntimeException refused(DataIntegrityViolationException violation) {
        if (violation.getCause() instanceof ConstraintViolationException cause
                && cause.getConstraintName() != null
                && REASONS.containsKey(cause.getConstraintName())) {
            return new ProductRefusedException(REASONS.get(cause.getConstraintName()), violation);
        }
        return violation;
    }
}
