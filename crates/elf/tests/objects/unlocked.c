/* Locks in values where the kernel finds none: behind a typedef or a qualifier, in a
 * union, two in an array, unaligned, and in maps of types whose values have none.
 */
#include "oxbpf_helpers.h"

HELPER(void, spin_lock, BPF_FUNC_spin_lock, void *lock);

typedef struct bpf_spin_lock lock_t;

struct renamed {
	__u64 count;
	lock_t lock;
};

struct qualified {
	__u64 count;
	const struct bpf_spin_lock lock;
};

struct shared {
	__u64 count;
	union {
		struct bpf_spin_lock lock;
		__u32 word;
	};
};

struct pair {
	__u64 count;
	struct {
		struct bpf_spin_lock lock;
	} both[2];
};

struct unaligned {
	__u16 count;
	struct bpf_spin_lock lock;
} __attribute__((packed));

struct plain {
	__u64 count;
	struct bpf_spin_lock lock;
};

#define TAKE(name, map_type, value_type, member)                                    \
	struct {                                                                    \
		__uint(type, map_type);                                             \
		__uint(max_entries, 2);                                             \
		__type(key, __u32);                                                 \
		__type(value, value_type);                                          \
	} name SEC(".maps");                                                        \
	SEC("tc") int take_##name(struct __sk_buff *skb)                     \
	{                                                                           \
		__u32 key = 0;                                                      \
		value_type *value = map_lookup(&name, &key);                        \
                                                                                    \
		if (value)                                                          \
			spin_lock((void *)value + __builtin_offsetof(value_type, member)); \
		return 0;                                                           \
	}

TAKE(renamed, BPF_MAP_TYPE_ARRAY, struct renamed, lock)
TAKE(qualified, BPF_MAP_TYPE_ARRAY, struct qualified, lock)
TAKE(shared, BPF_MAP_TYPE_ARRAY, struct shared, lock)
TAKE(pair, BPF_MAP_TYPE_ARRAY, struct pair, both[1].lock)
TAKE(unaligned, BPF_MAP_TYPE_ARRAY, struct unaligned, lock)
TAKE(per_cpu, BPF_MAP_TYPE_PERCPU_ARRAY, struct plain, lock)
TAKE(dropped, BPF_MAP_TYPE_LRU_HASH, struct plain, lock)

LICENSE("GPL");
