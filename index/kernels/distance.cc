// Choice of the kernels.
//
// The files distance_avx2.cc, distance_avx512.cc and so on are compiled with options for one
// instruction set. An inline function of a shared header that the compiler emits there would use
// these instructions too, and the linker may keep that copy for the whole library, which then dies
// on a machine without them. So those files include the intrinsics and headers of this folder
// only, and everything in these has internal linkage.
#include "index/kernels/distance.h"

#include <array>
#include <cstdlib>
#include <string>

namespace quire {
namespace {

struct Candidate {
  const DistanceKernels* kernels;
  bool (*supported)() noexcept;
};

#if defined(__x86_64__)
bool runs_avx2() noexcept {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("f16c") != 0;
}
bool runs_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("fma") != 0;
}
bool runs_avx512vnni() noexcept {
  return runs_avx512() && __builtin_cpu_supports("avx512vnni") != 0 &&
         __builtin_cpu_supports("avx512vpopcntdq") != 0;
}
#endif

// Fastest first.
constexpr Candidate kCandidates[] = {
#if defined(__x86_64__)
    {&kAvx512VnniKernels, runs_avx512vnni},
    {&kAvx512Kernels, runs_avx512},
    {&kAvx2Kernels, runs_avx2},
#elif defined(__aarch64__)
    {&kNeonKernels, []() noexcept { return true; }},
#endif
    {&kScalarKernels, []() noexcept { return true; }},
};

// Names of all instruction sets that there is code for, in this build or another.
constexpr std::string_view kKnownNames[] = {"scalar", "avx2", "avx512", "avx512vnni", "neon"};

struct Supported {
  std::array<const DistanceKernels*, std::size(kCandidates)> kernels{};
  std::size_t count = 0;
};

const Supported& supported() noexcept {
  static const Supported list = [] {
    Supported found;
    for (const Candidate& candidate : kCandidates)
      if (candidate.supported()) found.kernels[found.count++] = candidate.kernels;
    return found;
  }();
  return list;
}

const DistanceKernels* find_supported(std::string_view name) noexcept {
  for (const DistanceKernels* kernels : supported_kernels())
    if (name == kernels->name) return kernels;
  return nullptr;
}

std::string_view environment_name() noexcept {
  const char* value = std::getenv("QUIRE_KERNELS");
  return value == nullptr ? std::string_view() : std::string_view(value);
}

const DistanceFunctions* find_of_numbers(const NumberDistances& distances, Metric metric) noexcept {
  switch (metric) {
    case Metric::kL2:
      return &distances.l2;
    case Metric::kInnerProduct:
      return &distances.inner_product;
    case Metric::kCosine:
      return &distances.cosine;
    case Metric::kL1:
      return &distances.l1;
    default:
      return nullptr;
  }
}

const DistanceFunctions* find_of_bits(const BitDistances& distances, Metric metric) noexcept {
  if (metric == Metric::kHamming) return &distances.hamming;
  return metric == Metric::kJaccard ? &distances.jaccard : nullptr;
}

const DistanceFunctions* find_functions(const DistanceKernels& kernels, Metric metric,
                                        ElementType type) noexcept {
  switch (type) {
    case ElementType::kF32:
      return find_of_numbers(kernels.f32, metric);
    case ElementType::kF16:
      return find_of_numbers(kernels.f16, metric);
    case ElementType::kI8:
      return find_of_numbers(kernels.i8, metric);
    case ElementType::kBits:
      return find_of_bits(kernels.bits, metric);
  }
  return nullptr;
}

}  // namespace

std::span<const DistanceKernels* const> supported_kernels() noexcept {
  return {supported().kernels.data(), supported().count};
}

const DistanceKernels& distance_kernels() noexcept {
  static const DistanceKernels& chosen = []() -> const DistanceKernels& {
    const DistanceKernels* named = find_supported(environment_name());
    return named != nullptr ? *named : *supported_kernels().front();
  }();
  return chosen;
}

Result<const DistanceKernels*> find_kernels(std::string_view name) {
  if (const DistanceKernels* kernels = find_supported(name); kernels != nullptr) return kernels;
  std::string there;
  for (const DistanceKernels* kernels : supported_kernels()) {
    if (!there.empty()) there += ", ";
    there += kernels->name;
  }
  for (const std::string_view known : kKnownNames) {
    if (name == known)
      return fail(ErrorCode::kNotSupported,
                  "distance kernels '%.*s' do not run on this machine; it runs %s",
                  static_cast<int>(name.size()), name.data(), there.c_str());
  }
  return fail(ErrorCode::kInvalid, "no distance kernels are called '%.*s'; this machine runs %s",
              static_cast<int>(name.size()), name.data(), there.c_str());
}

Status check_kernels_environment() {
  const std::string_view name = environment_name();
  if (name.empty()) return {};
  if (auto found = find_kernels(name); !found)
    return std::unexpected(found.error().with_context("QUIRE_KERNELS"));
  return {};
}

Result<DistanceFunctions> find_distance(const DistanceKernels& kernels, Metric metric,
                                        ElementType type) {
  if (const DistanceFunctions* found = find_functions(kernels, metric, type); found != nullptr)
    return *found;
  const std::string_view metric_text = metric_name(metric);
  const std::string_view type_text = element_type_name(type);
  const char* there =
      type == ElementType::kBits ? "hamming and jaccard" : "l2, inner_product, cosine and l1";
  return fail(ErrorCode::kNotSupported, "no %.*s distance over vectors of %.*s; these have %s",
              static_cast<int>(metric_text.size()), metric_text.data(),
              static_cast<int>(type_text.size()), type_text.data(), there);
}

std::string_view metric_name(Metric metric) noexcept {
  switch (metric) {
    case Metric::kL2:
      return "l2";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kCosine:
      return "cosine";
    case Metric::kL1:
      return "l1";
    case Metric::kHamming:
      return "hamming";
    case Metric::kJaccard:
      return "jaccard";
  }
  return "unknown";
}

std::string_view element_type_name(ElementType type) noexcept {
  switch (type) {
    case ElementType::kF32:
      return "f32";
    case ElementType::kF16:
      return "f16";
    case ElementType::kI8:
      return "i8";
    case ElementType::kBits:
      return "bits";
  }
  return "unknown";
}

}  // namespace quire
