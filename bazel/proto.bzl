"""C++ code from the protos, by the protoc and gRPC plugin of Debian."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//bazel:cc.bzl", "GENERATED_COPTS")

_ProtoInfo = provider(
    doc = "A .proto file with everything it imports.",
    fields = {"files": "depset of the files"},
)

def _protoc(ctx, mnemonic, files, outputs, arguments):
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        inputs = files,
        outputs = outputs,
        arguments = ["-I" + ctx.label.package] + arguments,
        mnemonic = mnemonic,
        progress_message = "Generating %s" % outputs[0].short_path,
        use_default_shell_env = True,
    )

def _proto_source_impl(ctx):
    return [
        DefaultInfo(files = depset([ctx.file.src])),
        _ProtoInfo(files = depset(
            [ctx.file.src],
            transitive = [dep[_ProtoInfo].files for dep in ctx.attr.deps],
        )),
    ]

_proto_source = rule(
    implementation = _proto_source_impl,
    attrs = {
        "src": attr.label(allow_single_file = [".proto"], mandatory = True),
        "deps": attr.label_list(providers = [_ProtoInfo]),
    },
)

def _proto_code_impl(ctx):
    files = ctx.attr.proto[_ProtoInfo].files
    root = ctx.bin_dir.path + "/" + ctx.label.package
    if ctx.attr.grpc:
        arguments = [
            "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin",
            "--grpc_out=" + root,
        ]
    else:
        arguments = ["--cpp_out=" + root]
    _protoc(
        ctx,
        "KinoraProto",
        files,
        ctx.outputs.outs,
        arguments + [ctx.attr.file],
    )

_proto_code = rule(
    implementation = _proto_code_impl,
    attrs = {
        "proto": attr.label(providers = [_ProtoInfo], mandatory = True),
        "file": attr.string(mandatory = True),
        "grpc": attr.bool(),
        "outs": attr.output_list(mandatory = True),
    },
    output_to_genfiles = False,
)

def kinora_proto(name, deps = [], grpc = False, folder = "kinora/v1/"):
    """Targets of one .proto file.

    `NAME_proto` is the file with its imports, `NAME_cc` a cc_library of its
    messages and, with `grpc`, `NAME_grpc` one of its service stubs (which
    brings the messages along). Includes are "kinora/v1/NAME.pb.h".

    Args:
      name: the file's name without the ending.
      deps: short names of the files it imports from this package.
      grpc: whether the file has a service.
      folder: where the file lies below this package.
    """
    stem = folder + name
    src = stem + ".proto"
    _proto_source(
        name = name + "_proto",
        src = src,
        deps = [":" + dep + "_proto" for dep in deps],
        visibility = ["//visibility:public"],
    )
    _proto_code(
        name = name + "_cc_code",
        file = src,
        outs = [stem + ".pb.h", stem + ".pb.cc"],
        proto = ":" + name + "_proto",
    )
    cc_library(
        name = name + "_cc",
        srcs = [stem + ".pb.cc"],
        hdrs = [stem + ".pb.h"],
        copts = GENERATED_COPTS,
        includes = ["."],
        tags = ["generated"],
        visibility = ["//visibility:public"],
        deps = [":" + dep + "_cc" for dep in deps] + ["@system//:protobuf"],
    )
    if not grpc:
        return
    _proto_code(
        name = name + "_grpc_code",
        file = src,
        grpc = True,
        outs = [stem + ".grpc.pb.h", stem + ".grpc.pb.cc"],
        proto = ":" + name + "_proto",
    )
    cc_library(
        name = name + "_grpc",
        srcs = [stem + ".grpc.pb.cc"],
        hdrs = [stem + ".grpc.pb.h"],
        copts = GENERATED_COPTS,
        includes = ["."],
        tags = ["generated"],
        visibility = ["//visibility:public"],
        deps = [":" + name + "_cc", "@system//:grpc++"],
    )

def _descriptor_set_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".binpb")
    root = ctx.label.package + "/"
    direct = []
    for proto in ctx.attr.protos:
        direct += proto[DefaultInfo].files.to_list()
    _protoc(
        ctx,
        "KinoraDescriptorSet",
        depset(transitive = [p[_ProtoInfo].files for p in ctx.attr.protos]),
        [output],
        ["--include_imports", "--descriptor_set_out=" + output.path] +
        [file.path[len(root):] for file in direct],
    )
    return [DefaultInfo(files = depset([output]))]

kinora_descriptor_set = rule(
    implementation = _descriptor_set_impl,
    attrs = {"protos": attr.label_list(providers = [_ProtoInfo])},
    doc = """A FileDescriptorSet of the protos and all they import: the image
that `buf breaking` compares with, and what reflection tests read.""",
)
