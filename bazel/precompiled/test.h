// What tests include on top of what libraries do.
#include "bazel/precompiled/library.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
