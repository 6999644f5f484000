// What libbpf makes of an object's programs: prints `NAME HEX` for each, the instructions as they would be
// loaded, or `NAME refused`. Usage: oracle OBJECT [BTF]; cc oracle.c -lbpf.
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return getenv("ORACLE_VERBOSE") ? vfprintf(stderr, format, args) : 0;
}

static const char *current;
static int seen;

/* Called with the program adapted and about to be loaded, which is not needed here. */
static int show(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const unsigned char *bytes = (const unsigned char *)bpf_program__insns(prog);
	size_t len = bpf_program__insn_cnt(prog) * 8;
	printf("%s ", current);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
	seen = 1;
	return -ECANCELED;
}

static int one(const char *path, const char *btf, const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf);
	struct bpf_object *object = bpf_object__open_file(path, &opts);
	struct bpf_program *prog;
	if (!object)
		return 1;
	bpf_object__for_each_program(prog, object)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	current = name;
	seen = 0;
	bpf_object__load(object);
	if (!seen)
		printf("%s refused\n", name);
	bpf_object__close(object);
	return 0;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = show);
	struct bpf_object *object;
	struct bpf_program *prog;
	int failed = 0;
	if (argc < 2)
		return 2;
	libbpf_set_print(silent);
	if (libbpf_register_prog_handler("classifier", BPF_PROG_TYPE_SCHED_CLS, 0, &handler) < 0)
		return 3;
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		return 4;
	bpf_object__for_each_program(prog, object)
		failed |= one(argv[1], argv[2], bpf_program__name(prog));
	bpf_object__close(object);
	return failed;
}
