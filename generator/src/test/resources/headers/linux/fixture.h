/* What C headers can hold, small: the tests of the generator know the numbers from the ABI. */
#ifndef LINUX_FIXTURE_H
#define LINUX_FIXTURE_H

#include <asm/fixture.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef signed int s32;
typedef unsigned long long u64;

#define FIXTURE_NUMBER 42
#define FIXTURE_NEGATIVE -1
#define FIXTURE_TOP_BIT (1U << 31)
#define FIXTURE_TOP_BIT_OF_LONG (1UL << 31)
#define FIXTURE_LARGE 0x8000000000000001ULL
#define FIXTURE_SMALL_LONG (1ULL << 5)
#define FIXTURE_STRING "fixture"
#define FIXTURE_FUNCTION(x) ((x) + 1)
#define FIXTURE_NOT_A_VALUE struct plain
#define FIXTURE_UNKNOWN (NO_SUCH_NAME + 1)
#define FIXTURE_GONE 1
#undef FIXTURE_GONE

#define _IOR(type, nr, size) ((2U << 30) | ((type) << 8) | (nr) | (sizeof(size) << 16))
#define FIXTURE_GET _IOR(0xae, 3, struct plain)

enum fixture_kind {
	FIXTURE_FIRST,
	FIXTURE_TENTH = 10,
#define FIXTURE_TENTH FIXTURE_TENTH
	FIXTURE_ELEVENTH,
};

struct plain {
	u8 small;
	u32 number;
	u64 wide;
	u16 tail;
};

struct __attribute__((packed)) packed {
	u8 small;
	u32 number;
	u64 wide;
};

struct anonymous {
	u32 tag;
	union {
		u32 number;
		struct {
			u16 low;
			u16 high;
		};
	};
	union {
		u64 bits;
		u8 bytes[8];
	} named;
};

struct bits {
	u32 before;
	u32 three : 3;
	s32 four : 4;
	u32 : 5;
	u32 one : 1;
	u64 wide : 40;
};

struct flexible {
	u32 count;
	struct plain items[];
};

struct arrays {
	u8 grid[2][3];
	u16 pair[2];
	struct plain plains[2];
	struct {
		u32 x;
	} points[4];
	void *pointer;
};

union choice {
	u32 number;
	u8 bytes[6];
};

struct reserved_words {
	u8 class;
	u8 new_one;
};

struct wide {
	unsigned __int128 registers[2];
	u32 status;
};

struct differs {
	struct of_the_target inner;
};

#endif
