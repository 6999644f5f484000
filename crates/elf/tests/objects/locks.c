/* Locks in values where the kernel finds them: in a structure inside, without a
 * name, in an array of one, and of several the last. Each program returns what it
 * counted under the lock.
 */
#include "oxbpf_helpers.h"

HELPER(void, spin_lock, BPF_FUNC_spin_lock, struct bpf_spin_lock *lock);
HELPER(void, spin_unlock, BPF_FUNC_spin_unlock, struct bpf_spin_lock *lock);

struct head {
	__u32 flags;
	struct bpf_spin_lock lock;
};

struct inside {
	__u64 count;
	struct {
		__u32 state;
		struct head head;
	};
};

struct single {
	struct bpf_spin_lock lock[1][1];
	__u32 pad;
	__u64 count;
};

struct several {
	__u64 count;
	struct bpf_spin_lock lock;
	struct head first, last;
};

#define COUNT(name, map_type, entries, value_type, member)                          \
	struct {                                                                    \
		__type(value, value_type);                                          \
		__type(key, __u32);                                                 \
		__uint(type, map_type);                                             \
		__uint(max_entries, entries);                                       \
	} name SEC(".maps");                                                        \
	SEC("tc") int count_##name(struct __sk_buff *skb)                    \
	{                                                                           \
		__u32 key = 0;                                                      \
		value_type *value = map_lookup(&name, &key);                        \
		int count;                                                          \
                                                                                    \
		if (!value) {                                                       \
			value_type fresh = {};                                      \
                                                                                    \
			map_update(&name, &key, &fresh, BPF_NOEXIST);               \
			value = map_lookup(&name, &key);                            \
			if (!value)                                                 \
				return -1;                                          \
		}                                                                   \
		spin_lock(&value->member);                                          \
		count = value->count += 7;                                          \
		spin_unlock(&value->member);                                        \
		return count;                                                       \
	}

COUNT(inside, BPF_MAP_TYPE_ARRAY, 2, struct inside, head.lock)
COUNT(single, BPF_MAP_TYPE_HASH, 2, struct single, lock[0][0])
COUNT(several, BPF_MAP_TYPE_HASH, 2, struct several, last.lock)

LICENSE("GPL");
