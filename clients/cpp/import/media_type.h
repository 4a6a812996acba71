// Guessing the media type of a file that says nothing of it.

#ifndef KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_
#define KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// By the ending of the name; else text if the file, of which `head` is the
// beginning, may be that.
std::string MediaTypeOf(absl::string_view path, absl::string_view head);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_
