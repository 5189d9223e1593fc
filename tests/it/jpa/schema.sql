-- The tables of com.example.shop after migration V6. They belong to shop_owner, as which Flyway signs in. The
-- application signs in as shop_app, which owns nothing and may do what a migration grants it.
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO shop_app;

CREATE TABLE app.currencies (
    code varchar(3) PRIMARY KEY,
    name varchar(80) NOT NULL
);

CREATE TABLE app.categories (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar(80) NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE app.products (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    category_id uuid NOT NULL,
    sku varchar(40) NOT NULL,
    name varchar(200) NOT NULL,
    price numeric(12, 2) NOT NULL,
    currency varchar(3) NOT NULL CONSTRAINT products_currency REFERENCES app.currencies (code),
    version bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT products_sku UNIQUE (tenant_id, sku),
    CONSTRAINT products_category FOREIGN KEY (tenant_id, category_id) REFERENCES app.categories (tenant_id, id)
);
