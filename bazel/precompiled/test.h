// What tests include on top of what libraries do.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "bazel/precompiled/library.h"
