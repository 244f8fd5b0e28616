/* ${title}
 *
 * Written by: ros2 run hd_controller export_policy (HyperDistill for ROS 2)
 * Body: ${limbs} limbs, ${joints} joints; robot_id ${robot_id}
 * Policy: checksum ${checksum}
 *
 * What this is: a C99 controller for this one robot. No dependencies but <math.h>, no malloc, no recursion, float32
 * arithmetic, bounded time: about ${operations} multiply-adds for a call of ${prefix}_act. It takes about ${flash_kib} KiB of
 * read-only memory and ${ram_kib} KiB of static memory. Static buffers are shared: call it from one thread.
 *
 * How to build:  gcc -std=c99 -O2 -Wall -Wextra -Werror ${prefix}.c ${prefix}_example.c -lm -o example
 *
 * How to use, every ${period_s} s:
 *     ${prefix}_reset(&state, &origin);                    once, when the policy is activated: forward is now +x
 *     ${prefix}_observe(&state, &origin, observation);     forward kinematics, or fill the observation yourself
 *     ${prefix}_act(observation, actions, efforts);        network; efforts are clipped to the motors' limits
 *
 * Units: m, rad, m/s, rad/s, N m. The torso frame is the root link's frame, x forward and z up. Joints are in the
 * order of ${prefix}_joint_names; your drives' order, signs and offsets are yours to map.
 *
 * Safety: this code knows nothing of time-outs, emergency stops, tilt or joint limits. A command must not outlive its
 * state: check the age of every input, stop when it is stale, and let the drives stop when commands cease. Where an
 * input is not finite, ${prefix}_act returns 0 and gives zero efforts: treat that as a fault.
 */
#ifndef ${PREFIX}_H
#define ${PREFIX}_H

#ifdef __cplusplus
extern "C" {
#endif

#define ${PREFIX}_LIMBS ${limbs}
#define ${PREFIX}_JOINTS ${joints}
#define ${PREFIX}_LIMB_OBSERVATIONS ${limb_observations}
#define ${PREFIX}_OBSERVATIONS (${PREFIX}_LIMBS * ${PREFIX}_LIMB_OBSERVATIONS)
#define ${PREFIX}_CONTROL_PERIOD_S ${period_s}f

/* Identity of body and joint names, as in hd_msgs/Policy: never run this on another robot. */
extern const char ${prefix}_robot_id[65];
extern const char *const ${prefix}_joint_names[${PREFIX}_JOINTS];
extern const float ${prefix}_effort_limits[${PREFIX}_JOINTS]; /* [N m] */

/* Everything measured at one instant. */
typedef struct {
    float position[3];         /* torso frame in the world, z above ground [m] */
    float orientation[4];      /* torso quaternion w, x, y, z, of any length but 0 */
    float linear_velocity[3];  /* of the torso frame, in torso axes [m/s] */
    float angular_velocity[3]; /* in torso axes [rad/s] */
    float joint_positions[${PREFIX}_JOINTS];
    float joint_velocities[${PREFIX}_JOINTS];
} ${prefix}_state;

/* Pose on the ground that observations are relative to. */
typedef struct {
    float x, y, heading;
} ${prefix}_origin;

/* Latch the origin below the torso, facing its x axis: call when the policy is activated. */
void ${prefix}_reset(const ${prefix}_state *state, ${prefix}_origin *origin);

/* Observation "${observation_set}": for each limb position 3, quaternion 4 (w, x, y, z), linear velocity 3, angular
 * velocity 3, then for each of two joint slots the position scaled to its range and the velocity. */
void ${prefix}_observe(const ${prefix}_state *state, const ${prefix}_origin *origin,
                      float observation[${PREFIX}_OBSERVATIONS]);

/* Mean actions before clipping and efforts [N m] within the motors' limits, one for each joint.
 * Returns 1, or 0 with zero efforts where the observation or an action is not finite. */
int ${prefix}_act(const float observation[${PREFIX}_OBSERVATIONS], float actions[${PREFIX}_JOINTS],
                 float efforts[${PREFIX}_JOINTS]);

#ifdef __cplusplus
}
#endif

#endif
