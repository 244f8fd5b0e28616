/* One control step of many different robots on a pool of threads, without Python.

   Compiled and called by compiled_stepping.py; plain_stepping.py does the same step by step in Python and says why.
   MuJoCo is called through pointers to its public functions, so that no header and no linking is needed. The threads
   wait on a condition; they take simulations from one counter, so slow and fast bodies even out. */

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OBSERVATION = 17, JOINTS_START = 13, SLOTS = 2, FREE_QPOS = 7, FREE_QVEL = 6 };
enum { GOES_ON = 0, FELL = 1, TIMED_OUT = 2, DIVERGED = 3 };

/* One robot. */
typedef struct {
    const void *model;                  /* mjModel */
    int64_t limbs, joints;
    double fall_height;                 /* torso height at or below which an episode ends [m] */
    const int64_t *slots;               /* (joints,) limb * 2 + slot */
    const double *lower, *inverse_span; /* (joints,) of the joints' ranges */
} Body;

/* One environment. */
typedef struct {
    const Body *body;
    void *data;                     /* mjData, and what it holds: */
    double *ctrl, *qpos, *qvel;
    const double *sensors;
    const double *starts;           /* (2, nq + nv): states that episodes with even and odd numbers start from */
    int64_t place;                  /* its place in the arrays of the task */
} Simulation;

/* What all environments share; arrays have one row for each. */
typedef struct {
    void (*step)(const void *, void *);
    void (*step1)(const void *, void *);
    void (*step2)(const void *, void *);
    void (*forward)(const void *, void *);
    void (*reset)(const void *, void *);
    void (*get_state)(const void *, const void *, double *, int);
    void (*set_state)(const void *, void *, const double *, int);
    int64_t time_bit, frame_skip, episode_steps, limbs;
    double start_time_s, longest_step_m, period_s;
    const double *actions;                /* (limbs, 2) */
    float *observation, *last_observation; /* (limbs, 17) */
    int64_t *elapsed, *episode, *finished_steps;
    double *returns, *reward, *finished_return;
    uint8_t *end;
} Task;

typedef struct {
    const Task *task;
    const Simulation *simulations;
    int64_t count;
    _Atomic int64_t next, done;
    pthread_mutex_t lock;
    pthread_cond_t begin, finished;
    uint64_t round;
    int closing;
    int64_t helpers;
    pthread_t threads[];
} Pool;

/* As ObservationLayout.fill of hd_controller/observation.py at the world's origin, rounding included. */
static void observe(const Simulation *simulation, float *row)
{
    const Body *body = simulation->body;
    const double *position = simulation->sensors, *quaternion = position + 3 * body->limbs;
    const double *linear = quaternion + 4 * body->limbs, *angular = linear + 3 * body->limbs;
    float sign = (float)quaternion[0] < 0 ? -1.0f : 1.0f;
    for (int64_t limb = 0; limb < body->limbs; limb++) {
        float *out = row + limb * OBSERVATION;
        for (int k = 0; k < 3; k++) {
            out[k] = (float)position[3 * limb + k];
            out[7 + k] = (float)linear[3 * limb + k];
            out[10 + k] = (float)angular[3 * limb + k];
        }
        out[0] = (float)(out[0] - position[0]);
        for (int k = 0; k < 4; k++)
            out[3 + k] = (float)quaternion[4 * limb + k] * sign;
        memset(out + JOINTS_START, 0, (OBSERVATION - JOINTS_START) * sizeof(float));
    }
    for (int64_t joint = 0; joint < body->joints; joint++) {
        int64_t limb = body->slots[joint] / SLOTS, slot = body->slots[joint] % SLOTS;
        float *out = row + limb * OBSERVATION + JOINTS_START + 2 * slot;
        out[0] = (float)((simulation->qpos[FREE_QPOS + joint] - body->lower[joint]) * body->inverse_span[joint]);
        out[1] = (float)simulation->qvel[FREE_QVEL + joint];
    }
}

static int all_finite(const double *values, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(values[k]))
            return 0;
    return 1;
}

/* Physics of one control step; whether the simulation diverged. */
static int advance(const Task *task, const Simulation *simulation)
{
    const Body *body = simulation->body;
    const void *model = body->model;
    const double *actions = task->actions + simulation->place * task->limbs * SLOTS;
    double before[3], time_s;
    memcpy(before, simulation->qpos, sizeof(before));
    for (int64_t joint = 0; joint < body->joints; joint++)
        simulation->ctrl[joint] = actions[body->slots[joint]];
    task->step2(model, simulation->data);
    for (int64_t k = 1; k < task->frame_skip; k++)
        task->step(model, simulation->data);
    task->step1(model, simulation->data);
    task->get_state(model, simulation->data, &time_s, (int)task->time_bit);
    if (time_s < task->start_time_s)
        return 1;
    if (!all_finite(simulation->qvel, FREE_QVEL + body->joints) || !all_finite(simulation->sensors, 13 * body->limbs))
        return 1;
    for (int k = 0; k < 3; k++)
        if (fabs(simulation->qpos[k] - before[k]) > task->longest_step_m)
            return 1;
    return 0;
}

static void start_episode(const Task *task, const Simulation *simulation)
{
    const Body *body = simulation->body;
    int64_t place = simulation->place, positions = FREE_QPOS + body->joints, velocities = FREE_QVEL + body->joints;
    const double *start = simulation->starts + (task->episode[place] % 2) * (positions + velocities);
    task->reset(body->model, simulation->data);
    task->set_state(body->model, simulation->data, &task->start_time_s, (int)task->time_bit);
    memcpy(simulation->qpos, start, positions * sizeof(double));
    memcpy(simulation->qvel, start + positions, velocities * sizeof(double));
    task->forward(body->model, simulation->data);
    task->episode[place]++;
    task->elapsed[place] = 0;
    task->returns[place] = 0.0;
}

/* One control step of one environment, and the start of its next episode where this one ended. */
static void step_environment(const Task *task, const Simulation *simulation)
{
    int64_t place = simulation->place, row = task->limbs * OBSERVATION;
    double x_before = simulation->qpos[0], reward = 0.0;
    uint8_t end = GOES_ON;
    int diverged = advance(task, simulation);
    int64_t elapsed = ++task->elapsed[place];
    if (diverged) {
        end = DIVERGED;
    } else {
        reward = (simulation->qpos[0] - x_before) / task->period_s;
        if (simulation->qpos[2] <= simulation->body->fall_height)
            end = FELL;
        else if (elapsed >= task->episode_steps)
            end = TIMED_OUT;
    }
    task->reward[place] = reward;
    task->returns[place] += reward;
    task->end[place] = end;
    if (end != GOES_ON) {
        task->finished_return[place] = task->returns[place];
        task->finished_steps[place] = elapsed;
        if (end == TIMED_OUT)
            observe(simulation, task->last_observation + place * row);
        start_episode(task, simulation);
    }
    observe(simulation, task->observation + place * row);
}

/* Take simulations until none is left. A helper that wakes up late finds nothing, or the next step's work. */
static void take_part(Pool *pool)
{
    int64_t index;
    while ((index = atomic_fetch_add(&pool->next, 1)) < pool->count) {
        step_environment(pool->task, pool->simulations + index);
        if (atomic_fetch_add(&pool->done, 1) + 1 == pool->count) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void *help(void *argument)
{
    Pool *pool = argument;
    uint64_t seen = 0;
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (pool->round == seen && !pool->closing)
            pthread_cond_wait(&pool->begin, &pool->lock);
        seen = pool->round;
        int closing = pool->closing;
        pthread_mutex_unlock(&pool->lock);
        if (closing)
            return NULL;
        take_part(pool);
    }
}

/* Wake the helpers for one step; finish_step must follow. */
void begin_step(Pool *pool)
{
    atomic_store(&pool->done, 0);
    atomic_store(&pool->next, 0);
    pthread_mutex_lock(&pool->lock);
    pool->round++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
}

/* Take part in the step that begin_step began; returns when all simulations are done. */
void finish_step(Pool *pool)
{
    take_part(pool);
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->done) < pool->count)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

/* End the helpers. */
void close_pool(Pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = 1;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    for (int64_t k = 0; k < pool->helpers; k++)
        pthread_join(pool->threads[k], NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->begin);
    pthread_cond_destroy(&pool->finished);
    free(pool);
}

/* A pool of `helpers` threads beside the caller's; NULL where the system gives no memory or threads. */
Pool *open_pool(int64_t helpers, const Task *task, const Simulation *simulations, int64_t count)
{
    Pool *pool = calloc(1, sizeof(Pool) + helpers * sizeof(pthread_t));
    if (pool == NULL)
        return NULL;
    pool->task = task;
    pool->simulations = simulations;
    pool->count = count;
    atomic_store(&pool->next, count);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->finished, NULL);
    for (; pool->helpers < helpers; pool->helpers++)
        if (pthread_create(&pool->threads[pool->helpers], NULL, help, pool) != 0) {
            close_pool(pool);
            return NULL;
        }
    return pool;
}
