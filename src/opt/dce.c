// Dead code: what no root reaches. A gradient that nothing asks for, the critic's weight gradients in
// the generator's update, a head that no loss reads: all fall here, without a rule of their own.
// Counting uses instead of marking from the roots would keep a dead value alive as long as another
// dead value reads it.
#include "opt/pass.h"

bool pass_dce(struct graph *g) { return graph_drop_unneeded(g); }
