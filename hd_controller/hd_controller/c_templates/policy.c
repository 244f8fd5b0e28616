/* ${title}; see ${prefix}.h. */
#include "${prefix}.h"

#include <math.h>

#define LIMBS ${PREFIX}_LIMBS
#define JOINTS ${PREFIX}_JOINTS
#define SIZE ${PREFIX}_LIMB_OBSERVATIONS
#define SLOTS_START 13
#define WIDEST ${widest}

typedef struct {
    int inputs, outputs;
    const float *weights; /* outputs x inputs, one row for each output */
    const float *bias;
} layer;

const char ${prefix}_robot_id[65] = "${robot_id}";
const char *const ${prefix}_joint_names[JOINTS] = {
${joint_names}
};
const float ${prefix}_effort_limits[JOINTS] = {
${effort_limits}
};

/* Body: limbs depth-first, the torso first; joints in limb order, hinges of a limb from the parent's side on. */
static const int limb_parent[LIMBS] = {
${limb_parent}
};
static const int limb_joint_end[LIMBS] = { /* first joint that does not belong to this limb or one before it */
${limb_joint_end}
};
static const float limb_position[LIMBS][3] = { /* joint anchor in the parent's limb frame [m] */
${limb_position}
};
static const float joint_axis[JOINTS][3] = { /* in the limb frame at zero configuration */
${joint_axis}
};
static const int joint_place[JOINTS] = { /* where the joint's scaled position stands in the observation */
${joint_place}
};
static const float joint_lower[JOINTS] = {
${joint_lower}
};
static const float joint_inverse_span[JOINTS] = {
${joint_inverse_span}
};

/* Normalisation: the same for all limbs. */
static const float observation_clip = ${observation_clip};
static const float observation_mean[SIZE] = {
${observation_mean}
};
static const float observation_scale[SIZE] = {
${observation_scale}
};

${layer_arrays}
static const layer layers[] = {
${layers}
};
static const int layer_count = (int)(sizeof(layers) / sizeof(layers[0]));

static float buffer[2][WIDEST];

/* out = rotation of v by the unit quaternion q (w, x, y, z). */
static void rotate(const float q[4], const float v[3], float out[3])
{
    const float tx = 2.0f * (q[2] * v[2] - q[3] * v[1]);
    const float ty = 2.0f * (q[3] * v[0] - q[1] * v[2]);
    const float tz = 2.0f * (q[1] * v[1] - q[2] * v[0]);
    out[0] = v[0] + q[0] * tx + q[2] * tz - q[3] * ty;
    out[1] = v[1] + q[0] * ty + q[3] * tx - q[1] * tz;
    out[2] = v[2] + q[0] * tz + q[1] * ty - q[2] * tx;
}

/* q = q * r */
static void multiply(float q[4], const float r[4])
{
    const float w = q[0], x = q[1], y = q[2], z = q[3];
    q[0] = w * r[0] - x * r[1] - y * r[2] - z * r[3];
    q[1] = w * r[1] + x * r[0] + y * r[3] - z * r[2];
    q[2] = w * r[2] - x * r[3] + y * r[0] + z * r[1];
    q[3] = w * r[3] + x * r[2] - y * r[1] + z * r[0];
}

/* Turn a vector by minus the heading about z. */
static void turn_back(float vector[3], float cosine, float sine)
{
    const float x = vector[0], y = vector[1];
    vector[0] = cosine * x + sine * y;
    vector[1] = cosine * y - sine * x;
}

void ${prefix}_reset(const ${prefix}_state *state, ${prefix}_origin *origin)
{
    const float *q = state->orientation;
    origin->x = state->position[0];
    origin->y = state->position[1];
    origin->heading = atan2f(2.0f * (q[0] * q[3] + q[1] * q[2]),
                             q[0] * q[0] + q[1] * q[1] - q[2] * q[2] - q[3] * q[3]);
}

/* Torso pose and velocities in the origin's frame. */
static void observe_torso(const ${prefix}_state *state, const ${prefix}_origin *origin, float *torso)
{
    const float cosine = cosf(origin->heading), sine = sinf(origin->heading);
    const float half_cosine = cosf(origin->heading / 2.0f), half_sine = sinf(origin->heading / 2.0f);
    const float *q = state->orientation;
    const float length = sqrtf(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    float *turned = torso + 3;
    float sign;
    int k;

    torso[0] = state->position[0] - origin->x;
    torso[1] = state->position[1] - origin->y;
    torso[2] = state->position[2];
    turn_back(torso, cosine, sine);
    turned[0] = (half_cosine * q[0] + half_sine * q[3]) / length;
    turned[1] = (half_cosine * q[1] + half_sine * q[2]) / length;
    turned[2] = (half_cosine * q[2] - half_sine * q[1]) / length;
    turned[3] = (half_cosine * q[3] - half_sine * q[0]) / length;
    sign = turned[0] < 0.0f ? -1.0f : 1.0f;
    for (k = 0; k < 4; k++) {
        turned[k] *= sign;
    }
    rotate(turned, state->linear_velocity, torso + 7);
    rotate(turned, state->angular_velocity, torso + 10);
}

/* A limb's frame and velocities from those of its parent; joint is its first joint, end the one after its last. */
static void observe_limb(const ${prefix}_state *state, int limb, int joint, int end, float *observation)
{
    const float *parent = observation + limb_parent[limb] * SIZE;
    float *own = observation + limb * SIZE;
    float offset[3], axis[3], half, sine, turn[4];
    int k;

    rotate(parent + 3, limb_position[limb], offset);
    for (k = 0; k < 3; k++) {
        own[k] = parent[k] + offset[k];
        own[10 + k] = parent[10 + k];
    }
    own[7] = parent[7] + parent[11] * offset[2] - parent[12] * offset[1];
    own[8] = parent[8] + parent[12] * offset[0] - parent[10] * offset[2];
    own[9] = parent[9] + parent[10] * offset[1] - parent[11] * offset[0];
    for (k = 0; k < 4; k++) {
        own[3 + k] = parent[3 + k];
    }
    for (; joint < end; joint++) {
        rotate(own + 3, joint_axis[joint], axis);
        half = state->joint_positions[joint] / 2.0f;
        sine = sinf(half);
        turn[0] = cosf(half);
        for (k = 0; k < 3; k++) {
            own[10 + k] += axis[k] * state->joint_velocities[joint];
            turn[1 + k] = sine * joint_axis[joint][k];
        }
        multiply(own + 3, turn);
    }
}

void ${prefix}_observe(const ${prefix}_state *state, const ${prefix}_origin *origin,
                      float observation[${PREFIX}_OBSERVATIONS])
{
    int limb, joint, k;
    float torso_x;

    for (k = 0; k < ${PREFIX}_OBSERVATIONS; k++) {
        observation[k] = 0.0f;
    }
    observe_torso(state, origin, observation);
    for (limb = 1; limb < LIMBS; limb++) {
        observe_limb(state, limb, limb_joint_end[limb - 1], limb_joint_end[limb], observation);
    }
    torso_x = observation[0];
    for (limb = 0; limb < LIMBS; limb++) {
        observation[limb * SIZE] -= torso_x;
    }
    for (joint = 0; joint < JOINTS; joint++) {
        k = joint_place[joint];
        observation[k] = (state->joint_positions[joint] - joint_lower[joint]) * joint_inverse_span[joint];
        observation[k + 1] = state->joint_velocities[joint];
    }
}

/* bias + weights . values: eight sums side by side, which rounds less than one and lets the compiler vectorise. */
static float dot(const float *weights, const float *values, int count, float bias)
{
    float sums[8] = {0.0f};
    int k, lane;

    for (k = 0; k + 8 <= count; k += 8) {
        for (lane = 0; lane < 8; lane++) {
            sums[lane] += weights[k + lane] * values[k + lane];
        }
    }
    for (lane = 0; k < count; k++, lane++) {
        sums[lane] += weights[k] * values[k];
    }
    return bias + (((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])));
}

/* Normalise and clip the observation; returns 0 where a number is not finite. */
static int normalise(const float *observation, float *values)
{
    int k;

    for (k = 0; k < ${PREFIX}_OBSERVATIONS; k++) {
        const float value = (observation[k] - observation_mean[k % SIZE]) * observation_scale[k % SIZE];
        if (!isfinite(observation[k])) {
            return 0;
        }
        values[k] = value > observation_clip ? observation_clip : value < -observation_clip ? -observation_clip : value;
    }
    return 1;
}

int ${prefix}_act(const float observation[${PREFIX}_OBSERVATIONS], float actions[${PREFIX}_JOINTS],
                 float efforts[${PREFIX}_JOINTS])
{
    const int last = layer_count - 1;
    int finite = normalise(observation, buffer[0]);
    int index, k;

    for (index = 0; finite && index < layer_count; index++) {
        const layer *const now = &layers[index];
        float *const out = index == last ? actions : buffer[(index + 1) % 2];
        for (k = 0; k < now->outputs; k++) {
            const float value = dot(now->weights + (long)k * now->inputs, buffer[index % 2], now->inputs, now->bias[k]);
            out[k] = index < last && value < 0.0f ? 0.0f : value;
            finite = finite && isfinite(value);
        }
    }
    for (k = 0; k < JOINTS; k++) {
        const float action = finite ? actions[k] : 0.0f;
        actions[k] = action;
        efforts[k] = (action > 1.0f ? 1.0f : action < -1.0f ? -1.0f : action) * ${prefix}_effort_limits[k];
    }
    return finite;
}
