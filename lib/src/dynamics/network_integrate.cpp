#include "dynamics/integration.hpp"

namespace loradyn {

template integration_result<any_dimension> integrate<any_dimension>(
    const ode_system<any_dimension>&, const std::vector<double>&, double,
    const integration_options&, std::span<const ode_event<any_dimension>>,
    const std::function<bool(const dense_step<any_dimension>&)>&);

}  // namespace loradyn
