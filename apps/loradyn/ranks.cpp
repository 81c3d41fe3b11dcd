#include "ranks.hpp"

#ifdef LORADYN_HAS_MPI
#include <mpi.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <loradyn/error.hpp>
#include <string>
#include <variant>

namespace loradyn::cli {
namespace {

void append(std::vector<char>& bytes, const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  bytes.insert(bytes.end(), from, from + size);
}

template <class Value>
void append(std::vector<char>& bytes, const Value& value) {
  append(bytes, &value, sizeof value);
}

class reader {
 public:
  explicit reader(const std::vector<char>& bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const { return position_ == bytes_.size(); }

  template <class Value>
  Value take() {
    Value value{};
    std::memcpy(&value, advance(sizeof value), sizeof value);
    return value;
  }

  std::string take_text(std::size_t size) { return {advance(size), size}; }

 private:
  const char* advance(std::size_t size) {
    if (bytes_.size() - position_ < size) {
      throw error("a message between the processes is cut short");
    }
    const char* at = bytes_.data() + position_;
    position_ += size;
    return at;
  }

  const std::vector<char>& bytes_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<char> packed(const std::vector<kept_cell>& cells) {
  std::vector<char> bytes;
  for (const kept_cell& c : cells) {
    append(bytes, c.cell);
    append(bytes, c.cost);
    append(bytes, static_cast<std::uint64_t>(c.values.size()));
    for (const loradyn::cell& value : c.values) {
      append(bytes, static_cast<char>(value.index()));
      if (const auto* number = std::get_if<double>(&value)) {
        append(bytes, *number);
      } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        append(bytes, *integer);
      } else {
        const auto& text = std::get<std::string>(value);
        append(bytes, static_cast<std::uint64_t>(text.size()));
        append(bytes, text.data(), text.size());
      }
    }
  }
  return bytes;
}

std::vector<kept_cell> unpacked(const std::vector<char>& bytes) {
  reader in(bytes);
  std::vector<kept_cell> cells;
  while (!in.done()) {
    kept_cell& c = cells.emplace_back();
    c.cell = in.take<std::uint64_t>();
    c.cost = in.take<double>();
    const auto count = in.take<std::uint64_t>();
    for (std::uint64_t i = 0; i < count; ++i) {
      switch (in.take<char>()) {
        case 0:
          c.values.emplace_back(in.take<double>());
          break;
        case 1:
          c.values.emplace_back(in.take<std::int64_t>());
          break;
        default:
          c.values.emplace_back(in.take_text(in.take<std::uint64_t>()));
          break;
      }
    }
  }
  return cells;
}

#ifdef LORADYN_HAS_MPI

namespace {

// What mpirun tells the processes that it starts: Open MPI, and those that speak PMI.
bool started_by_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMI_SIZE") != nullptr ||
         std::getenv("PMIX_RANK") != nullptr;
}

constexpr int answer_tag = 1;
constexpr int block_tag = 2;

template <class Value>
void send(const std::vector<Value>& values, int to, int tag) {
  MPI_Send(values.data(), static_cast<int>(values.size() * sizeof(Value)), MPI_BYTE, to, tag,
           MPI_COMM_WORLD);
}

template <class Value>
std::vector<Value> receive(int from, int tag, int* sender = nullptr) {
  MPI_Status status;
  MPI_Probe(from, tag, MPI_COMM_WORLD, &status);
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  std::vector<Value> values(static_cast<std::size_t>(size) / sizeof(Value));
  MPI_Recv(values.data(), size, MPI_BYTE, status.MPI_SOURCE, tag, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  if (sender != nullptr) {
    *sender = status.MPI_SOURCE;
  }
  return values;
}

}  // namespace

ranks::ranks() {
  if (started_by_mpirun()) {
    int given = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    if (rank_ > 0 && (std::freopen("/dev/null", "w", stdout) == nullptr ||
                      std::freopen("/dev/null", "w", stderr) == nullptr)) {
      throw error("/dev/null can't be opened");
    }
  }
}

ranks::~ranks() {
  if (started_by_mpirun()) {
    MPI_Finalize();
  }
}

void ranks::lead(const leader& l) const {
  const int following = size_ - 1;
  std::vector<std::vector<planned_cell>> given(static_cast<std::size_t>(size_));
  std::vector<int> idle;
  int interrupted = 0;
  // Where this rank fails the others are sent home all the same.
  std::exception_ptr fault;
  const auto guarded = [&fault](const auto& body) {
    if (!fault) {
      try {
        body();
      } catch (...) {
        fault = std::current_exception();
      }
    }
  };
  while (static_cast<int>(idle.size()) + interrupted < following) {
    int who = 0;
    std::vector<kept_cell> done = unpacked(receive<char>(MPI_ANY_SOURCE, answer_tag, &who));
    std::vector<planned_cell>& block = given[static_cast<std::size_t>(who)];
    if (done.size() < block.size()) {
      ++interrupted;
      std::erase_if(block, [&done](const planned_cell& c) {
        return std::any_of(done.begin(), done.end(),
                           [&c](const kept_cell& d) { return d.cell == c.cell; });
      });
      guarded([&] { l.give_back(block); });
    } else {
      idle.push_back(who);
    }
    block.clear();
    if (!done.empty()) {
      guarded([&] { l.take(std::move(done)); });
    }
    while (!idle.empty()) {
      std::vector<planned_cell> next;
      guarded([&] { next = l.next(); });
      if (next.empty()) {
        break;
      }
      send(next, idle.back(), block_tag);
      given[static_cast<std::size_t>(idle.back())] = std::move(next);
      idle.pop_back();
    }
  }
  for (int who = 1; who < size_; ++who) {
    send(std::vector<planned_cell>(), who, block_tag);
  }
  if (fault) {
    std::rethrow_exception(fault);
  }
}

void ranks::follow(
    const std::function<std::vector<kept_cell>(const std::vector<planned_cell>&)>& compute) const {
  std::vector<kept_cell> done;
  for (;;) {
    send(packed(done), 0, answer_tag);
    const auto block = receive<planned_cell>(0, block_tag);
    if (block.empty()) {
      return;
    }
    done = compute(block);
  }
}

#else

ranks::ranks() = default;
ranks::~ranks() = default;

void ranks::lead(const leader&) const {}

void ranks::follow(
    const std::function<std::vector<kept_cell>(const std::vector<planned_cell>&)>&) const {}

#endif

}  // namespace loradyn::cli
