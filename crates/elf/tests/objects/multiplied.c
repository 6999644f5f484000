/* A value whose structures hold each other twice, and so 2^29 of them take no byte. */
#include "oxbpf_helpers.h"

struct s0 {
};

#define TWICE(of, name) struct name { struct of first, second; };
TWICE(s0, s1) TWICE(s1, s2) TWICE(s2, s3) TWICE(s3, s4) TWICE(s4, s5) TWICE(s5, s6) TWICE(s6, s7)
TWICE(s7, s8) TWICE(s8, s9) TWICE(s9, s10) TWICE(s10, s11) TWICE(s11, s12) TWICE(s12, s13) TWICE(s13, s14)
TWICE(s14, s15) TWICE(s15, s16) TWICE(s16, s17) TWICE(s17, s18) TWICE(s18, s19) TWICE(s19, s20)
TWICE(s20, s21) TWICE(s21, s22) TWICE(s22, s23) TWICE(s23, s24) TWICE(s24, s25) TWICE(s25, s26)
TWICE(s26, s27) TWICE(s27, s28) TWICE(s28, s29)

struct value {
	__u64 count;
	struct s29 many;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} many SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct value *value = map_lookup(&many, &key);

	return value ? ++value->count : 0;
}

LICENSE("GPL");
