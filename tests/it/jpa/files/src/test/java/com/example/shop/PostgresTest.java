package com.example.shop;

import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.testcontainers.containers.PostgreSQLContainer;

/** The application against PostgreSQL: migrated by the owner of the tables, signed in as the application's role. */
@SpringBootTest
public abstract class PostgresTest {

    private static final PostgreSQLContainer<?> POSTGRES =
            new PostgreSQLContainer<>("postgres:16-alpine").withUsername("shop_owner");

    /** The owner, whom no policy binds: it puts in what the application cannot. */
    protected static final JdbcTemplate OWNER;

    static {
        POSTGRES.start();
        OWNER = new JdbcTemplate(new DriverManagerDataSource(
                POSTGRES.getJdbcUrl(), POSTGRES.getUsername(), POSTGRES.getPassword()));
        OWNER.execute("CREATE ROLE shop_app LOGIN PASSWORD '%s'".formatted(POSTGRES.getPassword()));
    }

    @DynamicPropertySource
    static void signIn(DynamicPropertyRegistry properties) {
        properties.add("spring.datasource.url", POSTGRES::getJdbcUrl);
        properties.add("spring.datasource.username", () -> "shop_app");
        properties.add("spring.datasource.password", POSTGRES::getPassword);
        properties.add("spring.flyway.url", POSTGRES::getJdbcUrl);
        properties.add("spring.flyway.user", POSTGRES::getUsername);
        properties.add("spring.flyway.password", POSTGRES::getPassword);
    }
}
