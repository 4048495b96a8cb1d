/* Fake 1 of 5: a DMA heap for machines that have none. LD_PRELOAD it.
 *
 * /dev/dma_heap/linux,cma opens as an anonymous file; DMA_HEAP_IOCTL_ALLOC gives an anonymous file of the wanted size,
 * which can be mapped and passed on like a dma-buf; DMA_BUF_IOCTL_SYNC and DMA_BUF_SET_NAME succeed and do nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct allocation {
	uint64_t len;
	uint32_t fd;
	uint32_t fd_flags;
	uint64_t heap_flags;
};

#define HEAP "/dev/dma_heap/linux,cma"
#define ALLOCATE _IOWR('H', 0, struct allocation)
#define IS_DMA_BUF(request) (_IOC_TYPE(request) == 'b' && _IOC_NR(request) <= 1)

static int heap(void)
{
	return memfd_create("fake-dma-heap", MFD_CLOEXEC);
}

static int opened(const char *path, int flags, mode_t mode, const char *name)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
	return strcmp(path, HEAP) == 0 ? heap() : next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	mode_t mode = va_arg(more, mode_t);
	va_end(more);
	return opened(path, flags, mode, "open");
}

int open64(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	mode_t mode = va_arg(more, mode_t);
	va_end(more);
	return opened(path, flags, mode, "open64");
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list more;
	va_start(more, request);
	void *argument = va_arg(more, void *);
	va_end(more);

	if ((unsigned int)request == ALLOCATE) { /* a caller may have sign-extended it */
		struct allocation *wanted = argument;
		int made = memfd_create("fake-dma-buf", MFD_CLOEXEC);
		if (made < 0)
			return -1;
		if (ftruncate(made, wanted->len) < 0) {
			close(made);
			return -1;
		}
		wanted->fd = made;
		return 0;
	}
	if (IS_DMA_BUF(request))
		return 0;
	return next(fd, request, argument);
}
