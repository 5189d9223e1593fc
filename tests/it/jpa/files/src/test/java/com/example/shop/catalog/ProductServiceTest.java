package com.example.shop.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.example.shop.tenancy.TenantContext;
import java.math.BigDecimal;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ProductServiceTest {

    private static final UUID TENANT = UUID.fromString("00000000-0000-0000-0000-00000000000a");

    private final ProductRepository products = mock(ProductRepository.class);
    private final TenantContext tenant = mock(TenantContext.class);
    private final ProductService service = new ProductService(products, tenant);

    @Test
    void aProductIsLookedUpUnderTheTenantOfTheContext() {
        when(tenant.current()).thenReturn(TENANT);
        var id = UUID.randomUUID();
        service.find(id);
        verify(products).findById(new ProductId(TENANT, id));
    }

    @Test
    void aNewProductBelongsToTheTenantOfTheContext() {
        when(tenant.current()).thenReturn(TENANT);
        when(products.save(any())).thenAnswer(call -> call.getArgument(0));
        var added = service.add("lamp", "Lamp", BigDecimal.TEN);
        assertThat(added.getId().getTenantId()).isEqualTo(TENANT);
    }
}
