package com.example.shop.catalog;

import static com.example.shop.tenancy.SignedIn.tenant;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import com.example.shop.PostgresTest;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.web.servlet.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.MockMvc;

@PostgresTest
@AutoConfigureMockMvc
class ProductIntegrationTest {

    private static final UUID A = UUID.fromString("00000000-0000-0000-0000-00000000000a");
    private static final UUID B = UUID.fromString("00000000-0000-0000-0000-00000000000b");

    @Autowired
    private MockMvc http;

    @Test
    void aProductOfAnotherTenantIsNotFound() throws Exception {
        var location = http.perform(post("/products")
                        .with(tenant(B))
                        .contentType(MediaType.APPLICATION_JSON)
                        .content("{\"sku\": \"%s\", \"name\": \"Lamp\", \"price\": 9.90}".formatted(UUID.randomUUID())))
                .andExpect(status().isCreated())
                .andReturn()
                .getResponse()
                .getHeader("Location");
        http.perform(get(location).with(tenant(B))).andExpect(status().isOk());
        http.perform(get(location).with(tenant(A))).andExpect(status().isNotFound());
    }
}
