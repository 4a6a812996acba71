"""Fuzz targets: each is an ordinary test over its corpus and a libFuzzer."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load("//bazel:cc.bzl", "KINORA_COPTS", "kinora_cc_binary", "kinora_cc_library")

def fuzz_target(name, deps):
    """From `<name>.cc` with its seeds in `testdata/<name without _fuzz>/`.

    `<name>_test` runs the corpus and mutations of it, under any compiler.
    `<name>er` is for libFuzzer: `make fuzz` builds it with clang.
    """
    corpus = "testdata/" + name[:-len("_fuzz")]
    kinora_cc_library(
        name = name,
        srcs = [name + ".cc"],
        alwayslink = True,
        deps = deps + [":fuzz_target"],
    )
    cc_test(
        name = name + "_test",
        size = "small",
        srcs = ["corpus_test_main.cc"],
        args = ["tests/fuzz/" + corpus],
        copts = KINORA_COPTS,
        data = native.glob([corpus + "/**"]),
        linkstatic = False,
        deps = [
            name,
            "//common/files:file_system",
            "//common:random",
        ],
    )
    kinora_cc_binary(
        name = name + "er",
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [name],
    )
