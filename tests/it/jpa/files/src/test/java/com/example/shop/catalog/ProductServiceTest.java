package com.example.shop.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.example.shop.catalog.ProductRefusedException.Reason;
import com.example.shop.tenancy.TenantContext;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.UUID;
import org.hibernate.exception.ConstraintViolationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataIntegrityViolationException;

class ProductServiceTest {

    private static final UUID TENANT = UUID.fromString("00000000-0000-0000-0000-00000000000a");

    private final ProductRepository products = mock(ProductRepository.class);
    private final TenantContext tenants = new TenantContext();
    private final TenantContext.Scope scope = tenants.enter(TENANT);
    private final ProductService service = new ProductService(products, tenants);

    @AfterEach
    void leave() {
        scope.close();
    }

    @Test
    void aProductIsLookedUpUnderTheTenantOfTheContext() {
        var id = UUID.randomUUID();
        service.find(id);
        verify(products).findById(new ProductId(TENANT, id));
    }

    @Test
    void aNewProductBelongsToTheTenantOfTheContext() {
        when(products.saveAndFlush(any())).thenAnswer(call -> call.getArgument(0));
        assertThat(lamp().getId().getTenantId()).isEqualTo(TENANT);
    }

    @Test
    void anSkuThatIsTakenIsRefusedWithTheReason() {
        var cause = new ConstraintViolationException("taken", new SQLException(), "products_sku");
        when(products.saveAndFlush(any())).thenThrow(new DataIntegrityViolationException("taken", cause));
        assertThatThrownBy(this::lamp)
                .isInstanceOfSatisfying(
                        ProductRefusedException.class,
                        refused -> assertThat(refused.getReason()).isEqualTo(Reason.SKU_TAKEN));
    }

    private Product lamp() {
        return service.add(UUID.randomUUID(), "lamp", "Lamp", BigDecimal.TEN, "EUR");
    }
}
