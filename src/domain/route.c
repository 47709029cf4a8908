#include <baton/scoring.h>

#include <assert.h>

int32_t baton_route_find(const struct baton_lead *lead, const struct baton_agreement *agreement)
{
    for (uint32_t i = 0; i < agreement->route_count; i++) {
        const struct baton_route *route = &agreement->routes[i];
        if (route->persona && route->persona != lead->persona)
            continue;
        if (baton_profile_matches(&route->where, lead))
            return (int32_t)i;
    }
    return -1;
}

struct baton_text baton_route_name(const struct baton_route *route, uint32_t unit, uint64_t turn)
{
    assert(route->to_count > 0);
    return route->to[(unit + turn) % route->to_count];
}
