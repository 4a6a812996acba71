#include "common/json/proto_json_form.h"

#include <algorithm>
#include <memory>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "common/json/proto_json.h"
#include "kinora/v1/types.pb.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

MessageForm::Kind KindOf(const Descriptor& type) {
  if (&type == v1::InlineValue::descriptor()) {
    return MessageForm::Kind::kInlineValue;
  }
  if (&type == v1::BlobRef::descriptor()) return MessageForm::Kind::kBlobRef;
  if (&type == google::protobuf::Timestamp::descriptor() ||
      &type == google::protobuf::Duration::descriptor()) {
    return MessageForm::Kind::kOther;
  }
  return MessageForm::Kind::kFields;
}

}  // namespace

const MessageForm& FormOf(const Descriptor& type) {
  thread_local absl::flat_hash_map<const Descriptor*,
                                   std::unique_ptr<MessageForm>>
      forms;
  std::unique_ptr<MessageForm>& form = forms[&type];
  if (form != nullptr) return *form;
  form = std::make_unique<MessageForm>();
  form->kind = KindOf(type);
  for (int i = 0; i < type.field_count(); ++i) {
    form->fields.push_back(type.field(i));
  }
  std::sort(form->fields.begin(), form->fields.end(),
            [](const FieldDescriptor* a, const FieldDescriptor* b) {
              return a->json_name() < b->json_name();
            });
  return *form;
}

const EnumForm& FormOf(const EnumDescriptor& type) {
  thread_local absl::flat_hash_map<const EnumDescriptor*,
                                   std::unique_ptr<EnumForm>>
      forms;
  std::unique_ptr<EnumForm>& form = forms[&type];
  if (form != nullptr) return *form;
  form = std::make_unique<EnumForm>();
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    // Of two names of one number the first is written.
    form->words.emplace(value.number(), EnumWord(value));
    form->numbers.emplace(EnumWord(value), value.number());
  }
  return *form;
}

}  // namespace kinora
