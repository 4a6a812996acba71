#include "services/runner/calls/producer_table_file.h"

#include <string>

#include "common/config_file.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<ProducerConfigs> LoadProducerTable(FileSystem& files,
                                                  absl::string_view path) {
  KINORA_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(files, path));
  v1::ProducerTable table;
  KINORA_RETURN_IF_ERROR(ParseYamlConfig(yaml, path, &table));
  absl::StatusOr<ProducerConfigs> configs = CheckProducerTable(table);
  if (!configs.ok()) return Annotate(configs.status(), path);
  return configs;
}

}  // namespace kinora
