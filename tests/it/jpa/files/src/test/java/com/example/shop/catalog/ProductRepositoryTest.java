package com.example.shop.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.example.shop.PostgresTest;
import com.example.shop.tenancy.TenantContext;
import jakarta.persistence.EntityManager;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.data.domain.PageRequest;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

class ProductRepositoryTest extends PostgresTest {

    private static final String REFUSED = "42501";
    private static final String NO_SUCH_KEY = "23503";

    private final UUID a = UUID.randomUUID();
    private final UUID b = UUID.randomUUID();

    @Autowired
    private ProductRepository products;

    @Autowired
    private TenantContext tenants;

    @Autowired
    private TransactionTemplate transaction;

    @Autowired
    private EntityManager entityManager;

    @Autowired
    private JdbcTemplate application;

    private ProductId ofA;
    private ProductId ofB;

    @BeforeEach
    void oneProductEach() {
        OWNER.update("insert into app.currencies (code, name) values ('EUR', 'Euro') on conflict do nothing");
        ofA = saved(a);
        ofB = saved(b);
    }

    @Test
    void aTenantFindsItsOwnProductAndNotAnothersEvenByItsWholeKey() {
        as(a, () -> {
            assertThat(products.findById(ofA)).isPresent();
            assertThat(products.findById(ofB)).isEmpty();
        });
    }

    @Test
    void theDatabasesWallHoldsForAQueryWithoutAnyCondition() {
        as(a, () -> assertThat(tenantsOfAllRows()).isEqualTo(List.of(a)));
    }

    @Test
    void theApplicationsWallHoldsWhereTheDatabaseWouldAnswerForAnother() {
        as(a, () -> {
            entityManager
                    .createNativeQuery("select set_config('app.tenant_id', :tenant, true)", String.class)
                    .setParameter("tenant", b.toString())
                    .getSingleResult();
            assertThat(tenantsOfAllRows()).isEqualTo(List.of(b));
            assertThat(products.findByIdTenantIdOrderBySku(b, PageRequest.of(0, 10))).isEmpty();
        });
    }

    @Test
    void withoutATenantNoTransactionBeginsAndNothingIsReturned() {
        assertThatThrownBy(() -> transaction.executeWithoutResult(status -> {}))
                .isInstanceOf(IllegalStateException.class);
        assertThat(application.queryForList("select id from app.products")).isEmpty();
    }

    @Test
    void aTenantCannotWriteARowOfAnother() {
        var ofAnother = product(b, category(b));
        assertRefused(REFUSED, () -> as(a, () -> products.saveAndFlush(ofAnother)));
    }

    @Test
    void aProductCannotStandInACategoryOfAnotherTenant() {
        var misplaced = product(a, category(b));
        assertRefused(NO_SUCH_KEY, () -> as(a, () -> products.saveAndFlush(misplaced)));
    }

    @Test
    void currenciesAreTheSameForEveryTenantAndOnlyRead() {
        var codes = "select code from app.currencies where code = 'EUR'";
        assertThat(application.queryForList(codes, String.class)).containsExactly("EUR");
        assertRefused(REFUSED, () -> application.update("update app.currencies set name = 'Mark'"));
    }

    private ProductId saved(UUID tenant) {
        var product = product(tenant, category(tenant));
        as(tenant, () -> products.saveAndFlush(product));
        return product.getId();
    }

    private static Product product(UUID tenant, UUID category) {
        var id = new ProductId(tenant, UUID.randomUUID());
        return new Product(id, category, "lamp-" + id.getId(), "Lamp", new BigDecimal("9.90"), "EUR");
    }

    private static UUID category(UUID tenant) {
        var id = UUID.randomUUID();
        OWNER.update("insert into app.categories (tenant_id, id, name) values (?, ?, 'Lamps')", tenant, id);
        return id;
    }

    private List<?> tenantsOfAllRows() {
        return entityManager
                .createNativeQuery("select tenant_id from app.products", UUID.class)
                .getResultList();
    }

    private void as(UUID tenant, Runnable work) {
        try (var scope = tenants.enter(tenant)) {
            transaction.executeWithoutResult(status -> work.run());
        }
    }

    private static void assertRefused(String state, ThrowingCallable act) {
        assertThatThrownBy(act)
                .rootCause()
                .isInstanceOfSatisfying(
                        SQLException.class, refusal -> assertThat(refusal.getSQLState()).isEqualTo(state));
    }
}
