#include "services/store/blob/blob_uses.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace kinora {

class BlobUses::Movie {
 public:
  int BeginHold() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    ++holds_[current_];
    return current_;
  }

  void EndHold(int turn) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    --holds_[turn];
    Turn();
  }

  void Note(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (condemned_.contains(digest)) released_.Wait(mu_);
    noted_[current_].insert(digest);
  }

  bool BeginCollection() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (collecting_) return false;
    collecting_ = true;
    return true;
  }

  void EndCollection() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    collecting_ = false;
    condemned_.clear();
    released_.SignalAll();
    Turn();
  }

  bool IsUsed(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return IsNoted(digest);
  }

  void Condemn(std::vector<Digest>* digests) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    std::vector<Digest> unused;
    for (const Digest& digest : *digests) {
      if (!IsNoted(digest)) unused.push_back(digest);
    }
    *digests = std::move(unused);
    condemned_.insert(digests->begin(), digests->end());
  }

  void Release() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    condemned_.clear();
    released_.SignalAll();
  }

 private:
  bool IsNoted(const Digest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return noted_[0].contains(digest) || noted_[1].contains(digest);
  }

  // See "How it works".
  void Turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const int other = 1 - current_;
    if (collecting_ || holds_[other] > 0) return;
    noted_[other].clear();
    if (holds_[current_] == 0) noted_[current_].clear();
    current_ = other;
  }

  Mutex mu_;
  CondVar released_;
  std::array<int64_t, 2> holds_ ABSL_GUARDED_BY(mu_) = {};
  std::array<absl::flat_hash_set<Digest>, 2> noted_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<Digest> condemned_ ABSL_GUARDED_BY(mu_);
  int current_ ABSL_GUARDED_BY(mu_) = 0;
  bool collecting_ ABSL_GUARDED_BY(mu_) = false;
};

BlobUses::Hold::Hold(std::shared_ptr<Movie> movie)
    : movie_(std::move(movie)), turn_(movie_->BeginHold()) {}

BlobUses::Hold::~Hold() { movie_->EndHold(turn_); }

void BlobUses::Hold::Note(const Digest& digest) const { movie_->Note(digest); }

BlobUses::Collection::Collection(std::shared_ptr<Movie> movie)
    : movie_(std::move(movie)) {}

BlobUses::Collection::~Collection() { movie_->EndCollection(); }

bool BlobUses::Collection::IsUsed(const Digest& digest) const {
  return movie_->IsUsed(digest);
}

void BlobUses::Collection::Condemn(std::vector<Digest>* digests) {
  movie_->Condemn(digests);
}

void BlobUses::Collection::Release() { movie_->Release(); }

std::shared_ptr<BlobUses::Hold> BlobUses::HoldOf(absl::string_view movie_id) {
  return std::make_shared<Hold>(MovieOf(movie_id));
}

absl::StatusOr<std::unique_ptr<BlobUses::Collection>> BlobUses::Collect(
    absl::string_view movie_id) {
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  if (!movie->BeginCollection()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a collection of movie \"", movie_id,
                     "\" is under way: wait for its end"));
  }
  return std::make_unique<Collection>(std::move(movie));
}

std::shared_ptr<BlobUses::Movie> BlobUses::MovieOf(absl::string_view movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<Movie>& movie = movies_[movie_id];
  if (movie == nullptr) movie = std::make_shared<Movie>();
  return movie;
}

}  // namespace kinora
