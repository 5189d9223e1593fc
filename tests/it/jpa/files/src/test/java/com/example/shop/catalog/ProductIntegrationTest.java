package com.example.shop.catalog;

import static org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.jwt;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import com.example.shop.PostgresTest;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.web.servlet.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.ResultActions;
import org.springframework.test.web.servlet.request.RequestPostProcessor;

@AutoConfigureMockMvc
class ProductIntegrationTest extends PostgresTest {

    private final UUID a = UUID.randomUUID();
    private final UUID b = UUID.randomUUID();

    @Autowired
    private MockMvc http;

    private UUID categoryOfA;
    private UUID categoryOfB;

    @BeforeEach
    void oneCategoryEach() {
        OWNER.update("insert into app.currencies (code, name) values ('EUR', 'Euro') on conflict do nothing");
        categoryOfA = category(a);
        categoryOfB = category(b);
    }

    @Test
    void aProductOfAnotherTenantIsNeitherFoundNorListed() throws Exception {
        var location = add(b, categoryOfB, "lamp", "9.90")
                .andExpect(status().isCreated())
                .andReturn()
                .getResponse()
                .getHeader("Location");
        http.perform(get(location).with(signedInFor(b))).andExpect(status().isOk());
        http.perform(get(location).with(signedInFor(a))).andExpect(status().isNotFound());
        http.perform(get("/products").with(signedInFor(b))).andExpect(jsonPath("$.products.length()").value(1));
        http.perform(get("/products").with(signedInFor(a))).andExpect(jsonPath("$.products.length()").value(0));
    }

    @Test
    void anSkuIsTakenForOneTenantAlone() throws Exception {
        add(a, categoryOfA, "lamp", "9.90").andExpect(status().isCreated());
        add(b, categoryOfB, "lamp", "9.90").andExpect(status().isCreated());
        add(a, categoryOfA, "lamp", "9.90").andExpect(status().isConflict());
    }

    @Test
    void aCategoryOfAnotherTenantIsNoCategory() throws Exception {
        add(a, categoryOfB, "lamp", "9.90").andExpect(status().isUnprocessableEntity());
    }

    @Test
    void aPriceThatTheColumnCannotHoldIsRefused() throws Exception {
        add(a, categoryOfA, "lamp", "12345678901.00").andExpect(status().isBadRequest());
        add(a, categoryOfA, "lamp", "9.999").andExpect(status().isBadRequest());
    }

    @Test
    void aTokenWithoutATenantIsForbidden() throws Exception {
        http.perform(get("/products").with(jwt())).andExpect(status().isForbidden());
    }

    private ResultActions add(UUID tenant, UUID category, String sku, String price) throws Exception {
        var body =
                """
                {"categoryId": "%s", "sku": "%s", "name": "Lamp", "price": %s, "currency": "EUR"}
                """;
        return http.perform(post("/products")
                .with(signedInFor(tenant))
                .contentType(MediaType.APPLICATION_JSON)
                .content(body.formatted(category, sku, price)));
    }

    private static UUID category(UUID tenant) {
        var id = UUID.randomUUID();
        OWNER.update("insert into app.categories (tenant_id, id, name) values (?, ?, 'Lamps')", tenant, id);
        return id;
    }

    private static RequestPostProcessor signedInFor(UUID tenant) {
        return jwt().jwt(token -> token.claim("tenant", tenant.toString()));
    }
}
