#include "clients/cpp/import/media_type.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"

namespace kinora {
namespace {

constexpr std::array<std::pair<absl::string_view, absl::string_view>, 14>
    kMediaTypes = {{{".txt", "text/plain"},
                    {".md", "text/markdown"},
                    {".srt", "application/x-subrip"},
                    {".json", "application/json"},
                    {".png", "image/png"},
                    {".jpg", "image/jpeg"},
                    {".jpeg", "image/jpeg"},
                    {".webp", "image/webp"},
                    {".wav", "audio/wav"},
                    {".mp3", "audio/mpeg"},
                    {".ogg", "audio/ogg"},
                    {".mp4", "video/mp4"},
                    {".webm", "video/webm"},
                    {".pdf", "application/pdf"}}};

}  // namespace

std::string MediaTypeOf(absl::string_view path, bool is_utf8) {
  for (const auto& entry : kMediaTypes) {
    if (absl::EndsWithIgnoreCase(path, entry.first)) {
      return std::string(entry.second);
    }
  }
  return is_utf8 ? "text/plain" : "application/octet-stream";
}

}  // namespace kinora
