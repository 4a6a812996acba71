// Memory for judging jobs that costs what is touched, not what there is: a
// plan of a large graph may look at few jobs.

#ifndef KINORA_SERVICES_PLANNER_PLAN_JOB_SET_H_
#define KINORA_SERVICES_PLANNER_PLAN_JOB_SET_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace kinora {

// A set of jobs out of the first so many, as bits.
class JobSet {
 public:
  JobSet() = default;
  explicit JobSet(size_t jobs) : words_((jobs + 63) / 64, 0) {}

  bool Contains(uint32_t job) const {
    return (words_[job / 64] >> (job % 64) & 1) != 0;
  }
  void Add(uint32_t job) { words_[job / 64] |= uint64_t{1} << (job % 64); }
  void Remove(uint32_t job) {
    words_[job / 64] &= ~(uint64_t{1} << (job % 64));
  }

  // The first one from `job` on and before `end`; `end` if there is none.
  uint32_t Next(uint32_t job, uint32_t end) const {
    if (job >= end) return end;
    size_t word = job / 64;
    uint64_t bits = words_[word] & (~uint64_t{0} << (job % 64));
    while (bits == 0) {
      if (++word * 64 >= end) return end;
      bits = words_[word];
    }
    const auto found = static_cast<uint32_t>(
        word * 64 + static_cast<size_t>(__builtin_ctzll(bits)));
    return found < end ? found : end;
  }

  // True if at least so many of those from `job` on and before `end` are in it.
  bool HasAtLeast(size_t jobs, uint32_t job, uint32_t end) const {
    size_t found = 0;
    while (found < jobs && (job = Next(job, end)) < end) {
      if (job % 64 == 0 && job + 64 <= end) {
        found += static_cast<size_t>(__builtin_popcountll(words_[job / 64]));
        job += 64;
      } else {
        ++found;
        ++job;
      }
    }
    return found >= jobs;
  }

  // REQUIRES: not a complement.
  size_t Count() const {
    size_t count = 0;
    for (uint64_t word : words_) {
      count += static_cast<size_t>(__builtin_popcountll(word));
    }
    return count;
  }

  // All that are not in it, and maybe some beyond the jobs.
  JobSet Complement() const {
    JobSet rest = *this;
    for (uint64_t& word : rest.words_) word = ~word;
    return rest;
  }

  // For files: the bits, as many words as `jobs` need.
  const std::vector<uint64_t>& words() const { return words_; }
  std::vector<uint64_t>& words() { return words_; }

 private:
  std::vector<uint64_t> words_;  // bits beyond the jobs are not looked at
};

// Memory of zeros, of which the system makes only the pages that are used. An
// allocator's calloc() may write them all.
class ZeroedPages {
 public:
  // Ends the process if there is no memory, as `new` does.
  explicit ZeroedPages(size_t bytes);
  ~ZeroedPages();
  ZeroedPages(const ZeroedPages&) = delete;
  ZeroedPages& operator=(const ZeroedPages&) = delete;

  void* data() const { return data_; }

 private:
  const size_t bytes_;
  void* const data_;
};

// An array of zeros on such memory.
template <typename T>
class ZeroedArray {
  static_assert(std::is_trivial<T>::value);

 public:
  explicit ZeroedArray(size_t size)
      : pages_(size * sizeof(T)), data_(static_cast<T*>(pages_.data())) {}

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  const ZeroedPages pages_;
  T* const data_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_JOB_SET_H_
