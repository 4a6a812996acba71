// Guessing the media type of a file that says nothing of it.

#ifndef KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_
#define KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// By the ending of the name; else text if the file's bytes are UTF-8.
std::string MediaTypeOf(absl::string_view path, bool is_utf8);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_MEDIA_TYPE_H_
