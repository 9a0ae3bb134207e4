/* Walk a MAT-file with libmatio: one line per object, for comparison with a plan.
 *   path class dims fields hash
 * The hash is FNV-1a over all raw bytes of numeric and char data, else 0.
 */
#include <inttypes.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *class_name(const matvar_t *v)
{
    if (v->isLogical)
        return "logical";
    switch (v->class_type) {
    case MAT_C_STRUCT: return "struct";
    case MAT_C_CELL: return "cell";
    case MAT_C_CHAR: return "char";
    case MAT_C_DOUBLE: return "double";
    case MAT_C_SINGLE: return "single";
    case MAT_C_INT8: return "int8";
    case MAT_C_UINT8: return "uint8";
    case MAT_C_INT16: return "int16";
    case MAT_C_UINT16: return "uint16";
    case MAT_C_INT32: return "int32";
    case MAT_C_UINT32: return "uint32";
    case MAT_C_INT64: return "int64";
    case MAT_C_UINT64: return "uint64";
    default: return "other";
    }
}

static uint64_t fnv(const unsigned char *bytes, size_t n)
{
    uint64_t h = 1469598103934665603ULL;
    for (size_t i = 0; bytes && i < n; i++)
        h = (h ^ bytes[i]) * 1099511628211ULL;
    return h;
}

static void walk(matvar_t *v, const char *path)
{
    size_t n = 1;
    printf("%s %s ", path, class_name(v));
    for (int i = 0; i < v->rank; i++) {
        printf(i ? "x%zu" : "%zu", v->dims[i]);
        n *= v->dims[i];
    }
    int is_struct = v->class_type == MAT_C_STRUCT, is_cell = v->class_type == MAT_C_CELL;
    unsigned fields = is_struct ? Mat_VarGetNumberOfFields(v) : 0;
    char *const *names = is_struct && fields ? Mat_VarGetStructFieldnames(v) : NULL;
    uint64_t hash = is_struct || is_cell || !n ? 0 : fnv(v->data, n * v->data_size);
    printf(" %u %016" PRIx64 "\n", fields, hash);
    for (unsigned k = 0; k < fields + (is_cell ? n : 0); k++) {
        size_t room = strlen(path) + 80 + (is_struct ? strlen(names[k]) : 0);
        char *below = malloc(room);
        matvar_t *item;
        if (is_struct) {
            snprintf(below, room, "%s.%s", path, names[k]);
            item = Mat_VarGetStructFieldByIndex(v, k, 0);
        } else {
            snprintf(below, room, "%s{%u}", path, k);
            item = Mat_VarGetCell(v, (int)k);
        }
        if (item)
            walk(item, below);
        else
            printf("%s missing\n", below);
        free(below);
    }
}

int main(int argc, char **argv)
{
    mat_t *file = argc == 2 ? Mat_Open(argv[1], MAT_ACC_RDONLY) : NULL;
    if (!file)
        return 2;
    for (matvar_t *v; (v = Mat_VarReadNext(file)) != NULL; Mat_VarFree(v))
        walk(v, v->name);
    return Mat_Close(file);
}
