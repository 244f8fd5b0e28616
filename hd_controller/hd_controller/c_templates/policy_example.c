/* Example for ${prefix}.h: the robot stands still at its rest pose; prints the efforts of one control step.
 *
 *     gcc -std=c99 -O2 -Wall -Wextra -Werror ${prefix}.c ${prefix}_example.c -lm -o example && ./example
 *
 * On a microcontroller, main becomes the function that your timer calls every ${PREFIX}_CONTROL_PERIOD_S, with the state
 * taken from IMU, estimator and drives, and the efforts sent to the drives.
 */
#include "${prefix}.h"

#include <stdio.h>

static const float rest_positions[${PREFIX}_JOINTS] = {
${rest_positions}
};

int main(void)
{
    static ${prefix}_state state; /* static: all zero */
    static float observation[${PREFIX}_OBSERVATIONS];
    float actions[${PREFIX}_JOINTS], efforts[${PREFIX}_JOINTS];
    ${prefix}_origin origin;
    int joint;

    state.position[2] = ${standing_height};
    state.orientation[0] = 1.0f;
    for (joint = 0; joint < ${PREFIX}_JOINTS; joint++) {
        state.joint_positions[joint] = rest_positions[joint];
    }
    ${prefix}_reset(&state, &origin);
    ${prefix}_observe(&state, &origin, observation);
    if (!${prefix}_act(observation, actions, efforts)) {
        printf("the observation is not finite\n");
        return 1;
    }
    for (joint = 0; joint < ${PREFIX}_JOINTS; joint++) {
        printf("%-32s %12.6f N m\n", ${prefix}_joint_names[joint], (double)efforts[joint]);
    }
    return 0;
}
