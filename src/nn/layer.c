// The words of `layers:`. The table is made from the folder, so nothing here knows a layer; what is
// written by hand is how other libraries call them, because `Linear` is a mistake of habit that no
// distance between words would mend. Taking both words instead would give every config two
// spellings and every reader a doubt.
#include "nn/layer.h"

#include "base/arena.h"
#include "registry_layers.h"

#include <ctype.h>
#include <string.h>

const struct vocabulary layers = {"layer", (const struct word *const[]){REGISTRY_layers NULL}};

const struct layer *layer_find(const char *name)
{
    return (const struct layer *)word_find(&layers, name);
}

// Letters and digits, small.
static const struct foreign {
    const char *word, *ours;
} foreign[] = {
    {"linear", "dense"},
    {"fc", "dense"},
    {"fullyconnected", "dense"},
    {"inner", "dense"},
    {"conv", "conv2d"},
    {"convolution", "conv2d"},
    {"convolution2d", "conv2d"},
    {"convtranspose2d", "conv2d_transpose"},
    {"convtranspose", "conv2d_transpose"},
    {"deconv", "conv2d_transpose"},
    {"deconv2d", "conv2d_transpose"},
    {"deconvolution", "conv2d_transpose"},
    {"transposedconv", "conv2d_transpose"},
    {"bn", "batch_norm"},
    {"batchnormalization", "batch_norm"},
    {"batchnorm2d", "batch_norm"},
    {"batchnorm1d", "batch_norm"},
    {"ln", "layer_norm"},
    {"layernormalization", "layer_norm"},
    {"in", "instance_norm"},
    {"instancenormalization", "instance_norm"},
    {"instancenorm2d", "instance_norm"},
    {"lrelu", "leaky_relu"},
    {"leaky", "leaky_relu"},
    {"logistic", "sigmoid"},
    {"upsampling", "upsample"},
    {"upsampling2d", "upsample"},
    {"upsamplingnearest2d", "upsample"},
    {"interpolate", "upsample"},
    {"parametricrelu", "prelu"},
    {"subpixel", "pixel_shuffle"},
    {"depthtospace", "pixel_shuffle"},
    {"reflectionpad2d", "reflection_pad"},
    {"maxpool2d", "max_pool"},
    {"maxpooling2d", "max_pool"},
    {"globalaveragepooling2d", "global_avg_pool"},
    {"adaptiveavgpool2d", "global_avg_pool"},
    {"reparameterize", "gaussian"},
    {"avgpool2d", "avg_pool"},
    {"averagepooling2d", "avg_pool"},
    {"averagepool", "avg_pool"},
    {"dropout2d", "dropout"},
    {"noise", "gaussian_noise"},
    {"view", "reshape"},
    {"unflatten", "reshape"},
    {"zeropadding2d", "zero_pad"},
    {"zeropad2d", "zero_pad"},
    {"pad", "zero_pad"},
    {"cropping2d", "crop"},
    {"embed", "embedding"},
    {"concatenate", "concat"},
    {"cat", "concat"},
    {"mul", "multiply"},
    {"sum", "add"},
};

static const char *translate(const char *word)
{
    char plain[32];
    size_t n = 0;
    for (const char *s = word; *s && n + 1 < sizeof plain; s++)
        if (isalnum((unsigned char)*s))
            plain[n++] = (char)tolower((unsigned char)*s);
    plain[n] = '\0';
    for (size_t i = 0; i < LENGTH(foreign); i++)
        if (!strcmp(foreign[i].word, plain) && layer_find(foreign[i].ours))
            return foreign[i].ours;
    return NULL;
}

bool fail_layer(struct diag *d, struct place where, const char *word)
{
    const char *ours = translate(word);
    if (ours)
        return fail(d, where, "unknown layer '%s'\nexpected a layer; did you mean '%s'?", word,
                    ours);
    return word_called(&layers, &(struct word_call){word, where, NULL}, d);
}
