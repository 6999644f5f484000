// What clang offers for CO-RE, by names of our own. Numbers are clang's.
#define PROG __attribute__((section("classifier"), used)) unsigned long long
#define KEEP __attribute__((preserve_access_index))

#define field_offset(x) __builtin_preserve_field_info(x, 0)
#define field_size(x) __builtin_preserve_field_info(x, 1)
#define field_exists(x) __builtin_preserve_field_info(x, 2)
#define field_signed(x) __builtin_preserve_field_info(x, 3)
#define field_lshift(x) __builtin_preserve_field_info(x, 4)
#define field_rshift(x) __builtin_preserve_field_info(x, 5)

#define type_exists(t) __builtin_preserve_type_info(*(typeof(t) *)0, 0)
#define type_size(t) __builtin_preserve_type_info(*(typeof(t) *)0, 1)
#define type_matches(t) __builtin_preserve_type_info(*(typeof(t) *)0, 2)
#define type_id_local(t) __builtin_btf_type_id(*(typeof(t) *)0, 0)
#define type_id_target(t) __builtin_btf_type_id(*(typeof(t) *)0, 1)

#define enum_exists(t, v) __builtin_preserve_enum_value(*(typeof(t) *)v, 0)
#define enum_value(t, v) __builtin_preserve_enum_value(*(typeof(t) *)v, 1)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

char _license[] __attribute__((section("license"), used)) = "GPL";
