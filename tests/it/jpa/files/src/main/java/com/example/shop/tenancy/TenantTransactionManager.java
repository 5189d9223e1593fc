package com.example.shop.tenancy;

import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import java.util.UUID;
import org.hibernate.Session;
import org.springframework.orm.jpa.EntityManagerFactoryUtils;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionDefinition;

/**
 * Begins each transaction for the tenant of the context, behind both walls: Hibernate's filter, and the variable that
 * the policies of the database compare with. Without a tenant no transaction begins.
 */
@Component("transactionManager")
class TenantTransactionManager extends JpaTransactionManager {

    private final TenantContext tenants;

    TenantTransactionManager(EntityManagerFactory factory, TenantContext tenants) {
        super(factory);
        this.tenants = tenants;
    }

    @Override
    protected void doBegin(Object transaction, TransactionDefinition definition) {
        var tenant = tenants.current();
        super.doBegin(transaction, definition);
        var entityManager = EntityManagerFactoryUtils.getTransactionalEntityManager(obtainEntityManagerFactory());
        try {
            raiseWalls(entityManager, tenant);
        } catch (RuntimeException failure) {
            try {
                entityManager.getTransaction().rollback();
            } finally {
                doCleanupAfterCompletion(transaction);
            }
            throw failure;
        }
    }

    private static void raiseWalls(EntityManager entityManager, UUID tenant) {
        entityManager.unwrap(Session.class).enableFilter("tenant").setParameter("tenantId", tenant);
        entityManager
                .createNativeQuery("select set_config('app.tenant_id', :tenant, true)", String.class)
                .setParameter("tenant", tenant.toString())
                .getSingleResult();
    }
}
