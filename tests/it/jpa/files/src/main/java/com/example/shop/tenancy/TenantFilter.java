package com.example.shop.tenancy;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/** Works for the tenant of the token that a request is signed in with. Spring Boot puts it behind Spring Security. */
@Component
class TenantFilter extends OncePerRequestFilter {

    private final TenantContext tenants;

    TenantFilter(TenantContext tenants) {
        this.tenants = tenants;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (!(SecurityContextHolder.getContext().getAuthentication() instanceof JwtAuthenticationToken signedIn)) {
            chain.doFilter(request, response);
            return;
        }
        var tenant = tenant(signedIn.getToken().getClaimAsString("tenant"));
        if (tenant.isEmpty()) {
            response.sendError(HttpServletResponse.SC_FORBIDDEN);
            return;
        }
        try (var scope = tenants.enter(tenant.get())) {
            chain.doFilter(request, response);
        }
    }

    private static Optional<UUID> tenant(String claim) {
        try {
            return Optional.ofNullable(claim).map(UUID::fromString);
        } catch (IllegalArgumentException notAnId) {
            return Optional.empty();
        }
    }
}
