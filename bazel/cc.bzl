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

# Generated code is not ours to warn about. Instrumenting it costs over a
# minute and a gigabyte for one file and finds nothing of ours.
GENERATED_COPTS = _LANGUAGE + ["-w"] + select({
    "//bazel:asan": ["-O1", "-g0", "-fno-sanitize=all"],
    "//bazel:fuzz": ["-O1", "-g0", "-fno-sanitize=all"],
    "//bazel:opt": ["-O1"],
    "//bazel:tsan": ["-O1", "-g0", "-fno-sanitize=all"],
    "//conditions:default": ["-O1"],
})

def kinora_cc_library(name, copts = [], **kwargs):
    """A cc_library under the project's warnings."""
    cc_library(
        name = name,
        copts = KINORA_COPTS + copts,
        **kwargs
    )

# Messages are many small objects: with the C library's allocator a reader of
# events spends a third of its time in it. Sanitizers bring their own.
_MALLOC = select({
    "//bazel:opt": "@system//:tcmalloc",
    "//conditions:default": "@bazel_tools//tools/cpp:malloc",
})

def kinora_cc_binary(name, copts = [], **kwargs):
    """A cc_binary under the project's warnings."""
    cc_binary(
        name = name,
        copts = KINORA_COPTS + copts,
        malloc = _MALLOC,
        **kwargs
    )

def kinora_cc_test(name, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest binary: gtest, gmock and their main are linked in.

    Our libraries are linked dynamically: a test is then small to link and
    to store, also under sanitizers, and is not linked again when only the
    body of a library changed.
    """
    cc_test(
        name = name,
        size = size,
        copts = KINORA_COPTS + copts,
        linkstatic = False,
        deps = deps + [
            "@system//:gmock",
            "@system//:gtest",
            "@system//:gtest_main",
        ],
        **kwargs
    )
