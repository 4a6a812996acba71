"""C++ rules of this project: the language, the warnings, the test defaults."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_LANGUAGE = ["-std=c++20"]

# Options structs with member defaults are filled by designated initialisers,
# which -Wextra would call incomplete.
_WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"]

# g++ 12 warns falsely when it optimises (-Wstringop-overflow at -O2) or
# instruments (-Wmaybe-uninitialized). In the plain build they are errors.
_FALSE_WARNINGS = [
    "-Wno-array-bounds",
    "-Wno-maybe-uninitialized",
    "-Wno-restrict",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
]

# protobuf's map fields have two members more where this is defined; the
# system's library was built without. Code that is instrumented but says it is
# not agrees with it on the layout, and maps work under ThreadSanitizer.
_SYSTEM_LAYOUT = ["-U__SANITIZE_THREAD__"]

KINORA_COPTS = _LANGUAGE + _WARNINGS + select({
    "//bazel:asan": _FALSE_WARNINGS,
    "//bazel:opt": _FALSE_WARNINGS,
    "//bazel:tsan": _FALSE_WARNINGS + _SYSTEM_LAYOUT,
    "//conditions:default": [],
})

# Tests themselves are many small functions that run once: to optimise them
# takes longer than to run them as they are. What they test is optimised.
TEST_COPTS = KINORA_COPTS + select({
    "//bazel:asan": ["-O0"],
    "//bazel:tsan": ["-O0"],
    "//conditions:default": [],
})

# clang, which builds the fuzz targets, does not read what g++ precompiled. In
# the optimised build g++ does not for tests, as these are position-independent
# there and binaries are not; elsewhere one that does not fit is an error.
def _precompiled(name):
    include = ["-include", "bazel/precompiled/%s_precompiled.h" % name]
    copts = select({
        "//bazel:fuzz": [],
        "//bazel:opt": include,
        "//conditions:default": include + ["-Winvalid-pch"],
    })
    deps = select({
        "//bazel:fuzz": [],
        "//conditions:default": ["//bazel/precompiled:" + name],
    })
    return copts, deps

# Generated code is not ours to warn about. Instrumenting it costs over a
# minute and a gigabyte for one file and finds nothing of ours.
GENERATED_COPTS = _LANGUAGE + ["-w"] + select({
    "//bazel:asan": ["-O1", "-g0", "-fno-sanitize=all"],
    "//bazel:fuzz": ["-O1", "-g0", "-fno-sanitize=all"],
    "//bazel:opt": ["-O1"],
    "//bazel:tsan": ["-O1", "-g0", "-fno-sanitize=all"],
    "//conditions:default": ["-O1"],
})

def kinora_cc_library(name, copts = [], deps = [], **kwargs):
    """A cc_library under the project's warnings."""
    include, precompiled = _precompiled("library")
    cc_library(
        name = name,
        copts = KINORA_COPTS + include + copts,
        deps = deps + precompiled,
        **kwargs
    )

# Messages are many small objects: with the C library's allocator a reader of
# events spends a third of its time in it. Sanitizers bring their own.
_MALLOC = select({
    "//bazel:opt": "@system//:tcmalloc",
    "//conditions:default": "@bazel_tools//tools/cpp:malloc",
})

def kinora_cc_binary(name, copts = [], deps = [], **kwargs):
    """A cc_binary under the project's warnings."""
    include, precompiled = _precompiled("library")
    cc_binary(
        name = name,
        copts = KINORA_COPTS + include + copts,
        deps = deps + precompiled,
        malloc = _MALLOC,
        **kwargs
    )

def kinora_cc_test(name, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest binary: gtest, gmock and their main are linked in.

    Our libraries are linked dynamically: a test is then small to link and
    to store, also under sanitizers, and is not linked again when only the
    body of a library changed.
    """
    include, precompiled = _precompiled("test")
    cc_test(
        name = name,
        size = size,
        copts = TEST_COPTS + include + copts,
        linkstatic = False,
        deps = deps + precompiled + [
            "@system//:gmock",
            "@system//:gtest",
            "@system//:gtest_main",
        ],
        **kwargs
    )
