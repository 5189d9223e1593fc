/** Products, each of which is one tenant's. */
@FilterDef(
        name = "tenant",
        parameters = @ParamDef(name = "tenantId", type = UUID.class),
        defaultCondition = "tenant_id = :tenantId")
package com.example.shop.catalog;

import java.util.UUID;
import org.hibernate.annotations.FilterDef;
import org.hibernate.annotations.ParamDef;
