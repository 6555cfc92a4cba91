#include "heed/view/scene.h"

#include <utility>

namespace heed::view {

void Scene::add(Mark mark) {
  marks.push_back(std::move(mark));
}

}  // namespace heed::view
