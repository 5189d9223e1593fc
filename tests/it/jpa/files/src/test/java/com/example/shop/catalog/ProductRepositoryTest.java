package com.example.shop.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.example.shop.PostgresTest;
import jakarta.persistence.EntityManager;
import java.math.BigDecimal;
import java.util.List;
import java.util.UUID;
import org.hibernate.exception.GenericJDBCException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.transaction.support.TransactionTemplate;

/** Against PostgreSQL with the migrations, as the application's role. */
@PostgresTest
class ProductRepositoryTest {

    private static final UUID A = UUID.fromString("00000000-0000-0000-0000-00000000000a");
    private static final UUID B = UUID.fromString("00000000-0000-0000-0000-00000000000b");

    @Autowired
    private ProductRepository products;

    @Autowired
    private EntityManager entityManager;

    @Autowired
    private TransactionTemplate transaction;

    private ProductId ofA;
    private ProductId ofB;

    @BeforeEach
    void oneProductEach() {
        ofA = saved(A, "lamp-" + UUID.randomUUID());
        ofB = saved(B, "lamp-" + UUID.randomUUID());
    }

    @Test
    void aTenantFindsItsOwnProduct() {
        as(A, () -> assertThat(products.findById(ofA)).isPresent());
    }

    @Test
    void aTenantDoesNotFindAnothersProductEvenByItsWholeKey() {
        as(A, () -> assertThat(products.findById(ofB)).isEmpty());
    }

    @Test
    void aQueryWithoutAnyConditionReturnsOnlyTheTenantsRows() {
        as(A, () -> assertThat(tenantsOfAllRows()).isNotEmpty().containsOnly(A));
    }

    @Test
    void withoutATenantNothingIsReturned() {
        transaction.executeWithoutResult(status -> assertThat(tenantsOfAllRows()).isEmpty());
    }

    @Test
    void aTenantCannotWriteARowOfAnother() {
        var product = new Product(new ProductId(B, UUID.randomUUID()), "chair", "Chair", BigDecimal.TEN);
        assertThatThrownBy(() -> as(A, () -> {
                    entityManager.persist(product);
                    entityManager.flush();
                }))
                .isInstanceOf(GenericJDBCException.class)
                .hasMessageContaining("row-level security");
    }

    private ProductId saved(UUID tenant, String sku) {
        var id = new ProductId(tenant, UUID.randomUUID());
        as(tenant, () -> products.save(new Product(id, sku, "Lamp", new BigDecimal("9.90"))));
        return id;
    }

    private List<?> tenantsOfAllRows() {
        return entityManager
                .createNativeQuery("select tenant_id from app.products", UUID.class)
                .getResultList();
    }

    private void as(UUID tenant, Runnable work) {
        transaction.executeWithoutResult(status -> {
            entityManager
                    .createNativeQuery("select set_config('app.tenant_id', :tenant, true)", String.class)
                    .setParameter("tenant", tenant.toString())
                    .getSingleResult();
            work.run();
        });
    }
}
