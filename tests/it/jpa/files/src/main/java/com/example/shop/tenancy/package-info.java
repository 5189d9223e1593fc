/** What keeps tenants apart: who the tenant is, and the two walls that every transaction stands behind. */
@FilterDef(
        name = "tenant",
        parameters = @ParamDef(name = "tenantId", type = UUID.class),
        defaultCondition = "tenant_id = :tenantId")
package com.example.shop.tenancy;

import java.util.UUID;
import org.hibernate.annotations.FilterDef;
import org.hibernate.annotations.ParamDef;
