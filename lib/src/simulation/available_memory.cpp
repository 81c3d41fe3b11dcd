#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <loradyn/simulation/available_memory.hpp>
#include <string>

namespace loradyn {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double of_machine() {
  std::ifstream in("/proc/meminfo");
  std::string name;
  double kilobytes = 0.0;
  std::string unit;
  while (in >> name >> kilobytes && std::getline(in, unit)) {
    if (name == "MemAvailable:") {
      return 1024.0 * kilobytes;
    }
  }
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Of the address space: the first number of /proc/self/statm is what is taken, in pages.
double of_process() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return unlimited;
  }
  std::ifstream in("/proc/self/statm");
  double pages = 0.0;
  in >> pages;
  const double taken = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return std::max(0.0, static_cast<double>(limit.rlim_cur) - taken);
}

// The process's control group, as it is seen inside a container. "max" is no number.
double of_group() {
  const auto number = [](const char* path) {
    std::ifstream in(path);
    double value = 0.0;
    return in >> value ? value : unlimited;
  };
  const double most = number("/sys/fs/cgroup/memory.max");
  const double taken = number("/sys/fs/cgroup/memory.current");
  return most < unlimited && taken < unlimited ? std::max(0.0, most - taken) : unlimited;
}

}  // namespace

double available_memory() { return std::min({of_machine(), of_process(), of_group()}); }

}  // namespace loradyn
