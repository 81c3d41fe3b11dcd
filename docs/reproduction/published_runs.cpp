// One published run again, with the published random numbers: SGD of one neuron in single
// precision, whose start and batches are what PyTorch draws on an NVIDIA A100 after manual_seed.
// docs/reproduction/published_runs.py compiles and asks it, and says where these numbers come from.
//
//   published_runs SEED ACTIVATION SQUARED RATE STEPS CALLS BATCH D < (w*, w0: 2 D floats)
//   > (m and u after each step, the loss of its batch)
//
// CALLS: the steps of each call, by commas; the last is repeated, 0 is a call without end.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

// PyTorch's kernel: blocks of 256 threads, at most eight for each of the 108 multiprocessors, each
// thread with its own stream of Philox4x32-10, four normals at a time.
constexpr std::size_t threads_of_block = 256;
constexpr std::size_t most_blocks = 8 * 108;
constexpr std::size_t piece = 1024;  // threads done together, for vector instructions

class device_normals {
 public:
  explicit device_normals(std::uint32_t seed) : seed_(seed) {}

  void fill(std::vector<float>& out) {
    const std::size_t size = out.size();
    const std::size_t blocks =
        std::min((size + threads_of_block - 1) / threads_of_block, most_blocks);
    const std::size_t threads = blocks * threads_of_block;
    for (std::size_t base = 0; base < size; base += 4 * threads, ++draws_) {
      for (std::size_t first = 0; first < threads; first += piece) {
        const std::size_t count = std::min(piece, threads - first);
        draw(static_cast<std::uint32_t>(first), count);
        for (std::size_t i = 0; i < 4; ++i) {
          const std::size_t at = base + i * threads + first;
          for (std::size_t j = 0; j < count && at + j < size; ++j) out[at + j] = normals_[i][j];
        }
      }
    }
  }

 private:
  // Salmon et al., SC 2011; the counter is (draw, 0, thread, 0), the key (seed, 0).
  void draw(std::uint32_t first, std::size_t count) {
    static std::uint32_t c[4][piece];
    for (std::size_t i = 0; i < count; ++i) {
      c[0][i] = draws_;
      c[1][i] = c[3][i] = 0;
      c[2][i] = first + static_cast<std::uint32_t>(i);
    }
    std::uint32_t key0 = seed_, key1 = 0;
    for (int round = 0; round < 10; ++round) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0][i];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2][i];
        c[0][i] = static_cast<std::uint32_t>(b >> 32) ^ c[1][i] ^ key0;
        c[2][i] = static_cast<std::uint32_t>(a >> 32) ^ c[3][i] ^ key1;
        c[1][i] = static_cast<std::uint32_t>(b);
        c[3][i] = static_cast<std::uint32_t>(a);
      }
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    // cuRAND's Box-Muller.
    constexpr float unit = 2.3283064e-10f;
    constexpr float turn = static_cast<float>(2.3283064e-10 * 6.2831855);
    // A loop for each function, which the compiler replaces by one over vectors; sin and cos of one
    // argument in one loop it makes a single call of, of which there is none.
    static float radius[piece], angle[piece];
    for (int half = 0; half < 2; ++half) {
      for (std::size_t i = 0; i < count; ++i) {
        radius[i] = std::log(static_cast<float>(c[2 * half][i]) * unit + unit / 2);
      }
      for (std::size_t i = 0; i < count; ++i) radius[i] = std::sqrt(-2 * radius[i]);
      for (std::size_t i = 0; i < count; ++i) {
        angle[i] = static_cast<float>(c[2 * half + 1][i]) * turn + turn / 2;
      }
      float* sine = normals_[2 * half];
      float* cosine = normals_[2 * half + 1];
      for (std::size_t i = 0; i < count; ++i) sine[i] = std::sin(angle[i]);
      for (std::size_t i = 0; i < count; ++i) cosine[i] = std::cos(angle[i]);
      for (std::size_t i = 0; i < count; ++i) {
        sine[i] *= radius[i];
        cosine[i] *= radius[i];
      }
    }
  }

  std::uint32_t seed_;
  std::uint32_t draws_ = 0;
  float normals_[4][piece];
};

struct activation {
  std::function<float(float)> value, slope;
};

activation named(const std::string& name) {
  if (name == "linear") return {[](float x) { return x; }, [](float) { return 1.0f; }};
  if (name == "relu") {
    return {[](float x) { return std::max(x, 0.0f); }, [](float x) { return x > 0 ? 1.0f : 0.0f; }};
  }
  if (name == "erf") {
    return {[](float x) { return std::erf(x); },
            [](float x) { return 1.1283791671f * std::exp(-x * x); }};
  }
  if (name == "sigmoid") {
    const auto value = [](float x) { return 1 / (1 + std::exp(-x)); };
    return {value, [value](float x) { return value(x) * (1 - value(x)); }};
  }
  if (name == "he3") {
    return {[](float x) { return x * x * x - 3 * x; }, [](float x) { return 3 * x * x - 3; }};
  }
  std::fprintf(stderr, "no published run has %s\n", name.c_str());
  std::exit(2);
}

void normalise(std::vector<float>& v) {
  double square = 0;
  for (const float x : v) square += double{x} * x;
  const float norm = static_cast<float>(std::sqrt(square)) + 1e-12f;
  for (float& x : v) x /= norm;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 9) return 2;
  const auto seed = static_cast<std::uint32_t>(std::atol(arguments[1]));
  device_normals normals(seed);
  const activation act = named(arguments[2]);
  const bool squared = std::string(arguments[3]) == "1";
  const float rate = static_cast<float>(std::atof(arguments[4]));
  const long steps = std::atol(arguments[5]);
  std::vector<long> calls;
  for (const char* at = arguments[6]; *at != 0;) {
    char* end = nullptr;
    calls.push_back(std::strtol(at, &end, 10));
    if (end == at || calls.back() < 0) return 2;
    at = *end == ',' ? end + 1 : end;
  }
  if (calls.empty()) return 2;
  const std::size_t batch = std::strtoul(arguments[7], nullptr, 10);
  const std::size_t dim = std::strtoul(arguments[8], nullptr, 10);
  std::vector<float> target(dim), pretrained(dim), v(dim), w(dim), gradient(dim), x(batch * dim);
  for (auto* row : {&target, &pretrained}) {
    if (std::fread(row->data(), sizeof(float), dim, stdin) != dim) return 2;
  }
  normals.fill(v);
  normalise(v);
  float u = 1 / (static_cast<float>(dim) * static_cast<float>(dim));
  std::size_t call = 0;
  long last = calls[0];
  for (long step = 0; step < steps; ++step) {
    if (last > 0 && step == last) {
      call = std::min(call + 1, calls.size() - 1);
      last = calls[call] > 0 ? last + calls[call] : 0;
      normals = device_normals(seed);
      normals.fill(gradient);  // in the place of v's start, which is drawn and not used
    }
    normals.fill(x);
    for (std::size_t i = 0; i < dim; ++i) {
      w[i] = pretrained[i] + u * v[i];
      gradient[i] = 0;
    }
    float loss = 0;
    for (std::size_t b = 0; b < batch; ++b) {
      const float* row = x.data() + b * dim;
      float field = 0, teacher_field = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        field += row[i] * w[i];
        teacher_field += row[i] * target[i];
      }
      float label = act.value(teacher_field);
      if (squared) label *= label;
      const float error = act.value(field) - label;
      const float h = error * act.slope(field) / static_cast<float>(batch);
      loss += error * error / (2 * static_cast<float>(batch));
      for (std::size_t i = 0; i < dim; ++i) gradient[i] += h * row[i];
    }
    float of_u = 0;
    for (std::size_t i = 0; i < dim; ++i) of_u += gradient[i] * v[i];
    for (std::size_t i = 0; i < dim; ++i) v[i] -= rate * (u * gradient[i]);
    u -= rate * of_u;
    normalise(v);
    float m = 0;
    for (std::size_t i = 0; i < dim; ++i) m += v[i] * target[i];
    const float answer[] = {m, u, loss};
    std::fwrite(answer, sizeof(float), 3, stdout);
  }
}
